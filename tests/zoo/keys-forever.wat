;; Asks for all keys in an endless loop.
(component
  (import "spanmux:selector/runtime-context@0.1.0" (instance $context
    (export "keys" (func (result (list string))))))

  ;; The memory is in its own module, because the host functions write into it.
  (core module $memory
    (memory (export "memory") 1)
    ;; The same few pages again and again.
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (if (i32.gt_u (global.get $free) (i32.const 40960))
        (then (global.set $free (i32.const 4096))))
      global.get $free
      (global.set $free (i32.and
        (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7))
        (i32.const -8)))))
  (core instance $memory (instantiate $memory))
  (core func $keys (canon lower (func $context "keys")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))

  (core module $guest
    (import "context" "keys" (func $keys (param i32)))
    (import "memory" "memory" (memory 1))
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (loop $again
        (call $keys (i32.const 64))
        (br $again))
      unreachable))
  (core instance $guest (instantiate $guest
    (with "memory" (instance $memory))
    (with "context" (instance
      (export "keys" (func $keys))))))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $guest "select")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
