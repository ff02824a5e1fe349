;; Two components in one: the selector asks the other component for the length of a text,
;; and answers `console` with that length. The engine links the two with a module of its
;; own, which has the memories of both.
(component
  (component $length
    (core module $guest
      (memory (export "memory") 1)
      (func (export "length") (param $text i32) (param $length i32) (result i32)
        local.get $length)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        i32.const 1024))
    (core instance $guest (instantiate $guest))
    (func (export "length") (param "text" string) (result u32)
      (canon lift (core func $guest "length")
        (memory (core memory $guest "memory")) (realloc (core func $guest "realloc")))))
  (instance $length (instantiate $length))

  (component $selector
    (import "length" (func $length (param "text" string) (result u32)))
    (core module $memory
      (memory (export "memory") 1))
    (core instance $memory (instantiate $memory))
    (core func $length (canon lower (func $length)
      (memory (core memory $memory "memory"))))

    (core module $guest
      (import "host" "memory" (memory 1))
      (import "host" "length" (func $length (param i32 i32) (result i32)))
      ;; The result ok(some("console")) without the length, to which `select` points.
      (data (i32.const 16) "\00\00\00\00\01\00\00\00\20\00\00\00\00\00\00\00console")
      (func (export "select") (param $names i32) (param $count i32) (result i32)
        (i32.store (i32.const 28) (call $length (i32.const 32) (i32.const 7)))
        i32.const 16)
      (global $free (mut i32) (i32.const 4096))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        global.get $free
        (global.set $free (i32.and
          (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7))
          (i32.const -8)))))
    (core instance $guest (instantiate $guest
      (with "host" (instance
        (export "memory" (memory $memory "memory"))
        (export "length" (func $length))))))

    (func $select (param "available-tracers" (list string))
        (result (result (option string) (error string)))
      (canon lift (core func $guest "select")
        (memory (core memory $memory "memory")) (realloc (core func $guest "realloc"))))
    (instance $selection (export "select" (func $select)))
    (export "spanmux:selector/selection@0.1.0" (instance $selection)))
  (instance $selector (instantiate $selector (with "length" (func $length "length"))))
  (export "spanmux:selector/selection@0.1.0"
    (instance $selector "spanmux:selector/selection@0.1.0")))
