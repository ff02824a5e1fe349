;; Answers the first tracer, then the second, and so on, as long as its instance lives.
;; With one tracer it traps, and with two it never ends.
(component
  (core module $guest
    (memory (export "memory") 1)
    (global $turn (mut i32) (i32.const 0))
    (global $free (mut i32) (i32.const 4096))
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (local $name i32)
      ;; The arguments are needed only for this decision.
      (global.set $free (i32.const 4096))
      (if (i32.eq (local.get $count) (i32.const 1)) (then unreachable))
      (if (i32.eq (local.get $count) (i32.const 2)) (then (loop $again (br $again))))
      (local.set $name (i32.add (local.get $names) (i32.mul (i32.const 8)
        (i32.rem_u (global.get $turn) (local.get $count)))))
      (global.set $turn (i32.add (global.get $turn) (i32.const 1)))
      ;; ok(some(name))
      (i32.store (i32.const 16) (i32.const 0))
      (i32.store (i32.const 20) (i32.const 1))
      (i32.store (i32.const 24) (i32.load (local.get $name)))
      (i32.store (i32.const 28) (i32.load offset=4 (local.get $name)))
      i32.const 16)
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
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
