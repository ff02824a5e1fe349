;; Acts on the first letter of the text under `do`: `t` traps, `l` loops forever, `r`
;; recurses forever, `k` asks for a key of a million bytes, `e` fails with an error, `u`
;; answers with an unknown tracer name, `a` abstains. Otherwise it answers `console`.
;; If there are 100 tracers or more, it acts instead on the letter whose code is their number less
;; 100, whatever the context is.
(component
  (import "spanmux:selector/runtime-context@0.1.0" (instance $context
    (type $value (variant (case "null") (case "boolean" bool) (case "integer" s64)
      (case "float" f64) (case "text" string) (case "json" string)))
    (export "value" (type $v (eq $value)))
    (export "get" (func (param "key" string) (result (option $v))))))

  ;; The memory is in its own module, because the host functions write into it.
  (core module $memory
    (memory (export "memory") 18)
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
    (import "memory" "memory" (memory 18))
    (data (i32.const 128) "do")
    ;; ok(some("console")), ok(none), ok(some("nobody")), err("console")
    (data (i32.const 16) "\00\00\00\00\01\00\00\00\20\00\00\00\07\00\00\00console")
    (data (i32.const 256) "\00\00\00\00\00\00\00\00")
    (data (i32.const 272) "\00\00\00\00\01\00\00\00\20\01\00\00\06\00\00\00nobody")
    (data (i32.const 304) "\01\00\00\00\20\00\00\00\07\00\00\00")
    (func $deeper (param i32) (result i32)
      (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
    (global $letter (mut i32) (i32.const 0))
    (func $is (param $letter i32) (result i32)
      (i32.eq (global.get $letter) (local.get $letter)))
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (call $get (i32.const 128) (i32.const 2) (i32.const 64))
      (if (i32.ge_u (local.get $count) (i32.const 100))
        (then (global.set $letter (i32.sub (local.get $count) (i32.const 100))))
        (else
          ;; The answer is not some(text(…)).
          (if (i32.or (i32.eqz (i32.load8_u (i32.const 64))) (i32.ne (i32.load8_u (i32.const 72)) (i32.const 4)))
            (then (return (i32.const 16))))
          (global.set $letter (i32.load8_u (i32.load (i32.const 80))))))
      (if (call $is (i32.const 0x74)) (then unreachable)) ;; t
      (if (call $is (i32.const 0x6c)) (then (loop $again (br $again)))) ;; l
      (if (call $is (i32.const 0x72)) (then (return (call $deeper (i32.const 0))))) ;; r
      (if (call $is (i32.const 0x6b)) ;; k
        (then (call $get (i32.const 8192) (i32.const 1000000) (i32.const 64))))
      (if (call $is (i32.const 0x65)) (then (return (i32.const 304)))) ;; e
      (if (call $is (i32.const 0x75)) (then (return (i32.const 272)))) ;; u
      (if (call $is (i32.const 0x61)) (then (return (i32.const 256)))) ;; a
      i32.const 16))
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
