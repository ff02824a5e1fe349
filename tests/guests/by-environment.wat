;; Answers `console` for the environment `test`, and abstains for any other, with one
;; `get` and a comparison.
(component
  (import "spanmux:selector/runtime-context@0.1.0" (instance $context
    (type $value (variant (case "null") (case "boolean" bool) (case "integer" s64)
      (case "float" f64) (case "text" string) (case "json" string)))
    (export "value" (type $v (eq $value)))
    (export "get" (func (param "key" string) (result (option $v))))))

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
  (core func $get (canon lower (func $context "get")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))

  (core module $guest
    (import "context" "get" (func $get (param i32 i32 i32)))
    (import "memory" "memory" (memory 1))
    (data (i32.const 128) "environment")
    (data (i32.const 16) "\00\00\00\00\01\00\00\00\20\00\00\00\07\00\00\00console")
    ;; ok(none)
    (data (i32.const 256) "\00\00\00\00\00\00\00\00")
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (call $get (i32.const 128) (i32.const 11) (i32.const 64))
      (if (result i32)
        (i32.and
          ;; some(text(four bytes))
          (i32.and (i32.load8_u (i32.const 64)) (i32.eq (i32.load8_u (i32.const 72)) (i32.const 4)))
          (i32.eq (i32.load (i32.const 84)) (i32.const 4)))
        (then
          (if (result i32) (i32.eq (i32.load (i32.load (i32.const 80))) (i32.const 0x74736574)) ;; "test"
            (then (i32.const 16))
            (else (i32.const 256))))
        (else (i32.const 256)))))
  (core instance $guest (instantiate $guest
    (with "memory" (instance $memory))
    (with "context" (instance
      (export "get" (func $get))))))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $guest "select")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
