;; Exports a `select` without parameters that returns a number.
(component
  (core module $guest
    (memory (export "memory") 1)
    (func (export "select") (result i32) i32.const 7))
  (core instance $guest (instantiate $guest))

  (func $select (result u32) (canon lift (core func $guest "select")))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
