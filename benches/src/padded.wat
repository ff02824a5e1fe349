;; Asks whether there is an environment, and chooses langfuse if there is.
(component
  (import "spanmux:selector/runtime-context@0.1.0" (instance $context
    (export "has" (func (param "key" string) (result bool)))))

  (core module $memory
    (memory (export "memory") 2)
    ;; The key that is asked for.
    (data (i32.const 65536) "environment")
    ;; ok(some("langfuse")), and ok(none).
    (data (i32.const 65552) "\00\00\00\00\01\00\00\00\38\00\01\00\08\00\00\00")
    (data (i32.const 65584) "\00\00\00\00\00\00\00\00")
    (data (i32.const 65592) "langfuse")
    (global $free (mut i32) (i32.const 66560))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      global.get $free
      (global.set $free (i32.and
        (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7))
        (i32.const -8)))))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $bytes))
  (alias core export $memory "realloc" (core func $realloc))
  (core func $has (canon lower (func $context "has") (memory $bytes) (realloc $realloc)))

  (core module $guest
    (import "memory" "memory" (memory 2))
    (import "context" "has" (func $has (param i32 i32) (result i32)))
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (select
        (i32.const 65552)
        (i32.const 65584)
        (call $has (i32.const 65536) (i32.const 11))))
    ;; MORE FUNCTIONS
  )
  (core instance $guest (instantiate $guest
    (with "memory" (instance $memory))
    (with "context" (instance (export "has" (func $has))))))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $guest "select") (memory $bytes) (realloc $realloc)))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
