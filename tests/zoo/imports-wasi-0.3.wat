;; Imports a clock of a WASI version that this host does not provide.
(component
  (import "wasi:clocks/monotonic-clock@0.3.0" (instance
    (export "now" (func (result u64)))))

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
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
