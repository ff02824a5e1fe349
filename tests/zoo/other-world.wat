;; A component of another world: it runs, and selects nothing.
(component
  (core module $guest (func (export "run")))
  (core instance $guest (instantiate $guest))
  (func $run (canon lift (core func $guest "run")))
  (export "run" (func $run)))
