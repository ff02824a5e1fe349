;; Sleeps for a thousand years, repeatedly, and never drops a handle.
(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (export "pollable" (type $pollable' (eq $pollable)))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable'))))))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))

  (core module $guest
    (import "wasi" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "wasi" "block" (func $block (param i32)))
    (memory (export "memory") 1)
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (loop $again
        (call $block (call $subscribe (i64.const 0x7000000000000000)))
        (br $again))
      unreachable)

    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      global.get $free
      (global.set $free (i32.and
        (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7))
        (i32.const -8)))))
  (core instance $guest (instantiate $guest
    (with "wasi" (instance
      (export "subscribe" (func $subscribe))
      (export "block" (func $block))))))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $guest "select")
      (memory (core memory $guest "memory")) (realloc (core func $guest "realloc"))))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
