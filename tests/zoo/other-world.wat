;; Implements another world: it runs, but has no selection.
(component
  (core module $guest (func (export "run")))
  (core instance $guest (instantiate $guest))
  (func $run (canon lift (core func $guest "run")))
  (export "run" (func $run)))
