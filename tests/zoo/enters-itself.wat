;; Links its own `select` to an import of a component inside of it, so that it could be entered
;; while it runs.
(component
  (core module $guest
    (memory (export "memory") 1)
    ;; The result ok(some("console")), to which `select` points.
    (data (i32.const 16) "\00\00\00\00\01\00\00\00\20\00\00\00\07\00\00\00console")
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      i32.const 16)

    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      global.get $free
      (global.set $free (i32.and
        (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7))
        (i32.const -8)))))
  (core instance $guest (instantiate $guest))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $guest "select")
      (memory (core memory $guest "memory")) (realloc (core func $guest "realloc"))))
  (component $inner
    (import "select" (func $outer (param "available-tracers" (list string))
      (result (result (option string) (error string)))))
    (core module $memory (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096))
    (core instance $memory (instantiate $memory))
    (core func $outer (canon lower (func $outer)
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (core module $m
      (import "" "select" (func $select (param i32 i32 i32)))
      (import "memory" "memory" (memory 1))
      (func (export "select") (param i32 i32) (result i32)
        (call $select (i32.const 0) (i32.const 0) (i32.const 64))
        i32.const 64))
    (core instance $m (instantiate $m
      (with "memory" (instance $memory))
      (with "" (instance (export "select" (func $outer))))))
    (func (export "select") (param "available-tracers" (list string))
        (result (result (option string) (error string)))
      (canon lift (core func $m "select")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc")))))
  (instance $inner (instantiate $inner (with "select" (func $select))))
  (alias export $inner "select" (func $twice))
  (instance $selection (export "select" (func $twice)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
