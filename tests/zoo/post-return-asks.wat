;; Answers, and asks the runtime context in its post-return function.
(component
  (import "spanmux:selector/runtime-context@0.1.0" (instance $context
    (export "has" (func (param "key" string) (result bool)))))

  ;; The memory is in its own module, because the host functions write into it.
  (core module $memory
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      global.get $free
      (global.set $free (i32.and
        (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7))
        (i32.const -8)))))
  (core instance $memory (instantiate $memory))
  (core func $has (canon lower (func $context "has")
    (memory (core memory $memory "memory"))))

  (core module $guest
    (import "context" "has" (func $has (param i32 i32) (result i32)))
    (import "memory" "memory" (memory 1))
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      i32.const 16)
    ;; The result ok(some("console")), to which `select` points.
    (data (i32.const 16) "\00\00\00\00\01\00\00\00\20\00\00\00\07\00\00\00console")
    (func (export "after") (param i32)
      (drop (call $has (i32.const 0) (i32.const 0)))))
  (core instance $guest (instantiate $guest
    (with "memory" (instance $memory))
    (with "context" (instance
      (export "has" (func $has))))))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $guest "select")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))
      (post-return (core func $guest "after"))))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
