;; Asks the question that the tracer names spell, and returns the answer as a tracer
;; name. The names are `get`, `has` or `bucket` and a key, or `keys`. For `bucket`, a
;; salt follows, and a name with one letter for each bucket. The result is one letter
;; for the case of the value, then the value: text unchanged, numbers as the sixteen
;; hexadecimal digits of their bits.
(component
  (import "spanmux:selector/runtime-context@0.1.0" (instance $context
    (type $value (variant (case "null") (case "boolean" bool) (case "integer" s64)
      (case "float" f64) (case "text" string) (case "json" string)))
    (export "value" (type $v (eq $value)))
    (export "get" (func (param "key" string) (result (option $v))))
    (export "has" (func (param "key" string) (result bool)))
    (export "keys" (func (result (list string))))
    (export "bucket" (func (param "key" string) (param "salt" string) (param "buckets" u32)
      (result (option u32))))))

  ;; The memory is in its own module, because the host functions write into it.
  (core module $memory
    (memory (export "memory") 16)
    (global $free (mut i32) (i32.const 16384))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      global.get $free
      (global.set $free (i32.and
        (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7))
        (i32.const -8)))))
  (core instance $memory (instantiate $memory))
  (core func $get (canon lower (func $context "get")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $has (canon lower (func $context "has")
    (memory (core memory $memory "memory"))))
  (core func $keys (canon lower (func $context "keys")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $bucket (canon lower (func $context "bucket")
    (memory (core memory $memory "memory"))))

  (core module $guest
    (import "context" "get" (func $get (param i32 i32 i32)))
    (import "context" "has" (func $has (param i32 i32) (result i32)))
    (import "context" "keys" (func $keys (param i32)))
    (import "context" "bucket" (func $bucket (param i32 i32 i32 i32 i32 i32)))
    (import "memory" "memory" (memory 1))
    ;; The address of the result, and the end of its written part.
    (global $end (mut i32) (i32.const 1024))
    (func $put (param $byte i32)
      (i32.store8 (global.get $end) (local.get $byte))
      (global.set $end (i32.add (global.get $end) (i32.const 1))))
    (func $put-text (param $at i32) (param $length i32)
      (memory.copy (global.get $end) (local.get $at) (local.get $length))
      (global.set $end (i32.add (global.get $end) (local.get $length))))
    ;; Sixteen hexadecimal digits.
    (func $put-bits (param $bits i64)
      (local $left i32) (local $digit i32)
      (local.set $left (i32.const 16))
      (loop $again
        (local.set $digit (i32.wrap_i64 (i64.shr_u (local.get $bits) (i64.const 60))))
        (call $put (i32.add (local.get $digit)
          (select (i32.const 0x30) (i32.const 0x57) (i32.lt_u (local.get $digit) (i32.const 10)))))
        (local.set $bits (i64.shl (local.get $bits) (i64.const 4)))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
    ;; ok(some(written text)).
    (func $answer (result i32)
      (i32.store (i32.const 512) (i32.const 0))
      (i32.store (i32.const 516) (i32.const 1))
      (i32.store (i32.const 520) (i32.const 1024))
      (i32.store (i32.const 524) (i32.sub (global.get $end) (i32.const 1024)))
      i32.const 512)

    ;; The pointer and the length of a name.
    (func $at (param $names i32) (param $which i32) (result i32)
      (i32.load (i32.add (local.get $names) (i32.mul (local.get $which) (i32.const 8)))))
    (func $length (param $names i32) (param $which i32) (result i32)
      (i32.load offset=4 (i32.add (local.get $names) (i32.mul (local.get $which) (i32.const 8)))))

    (func $ask-get (param $names i32)
      (local $case i32)
      (call $get (call $at (local.get $names) (i32.const 1)) (call $length (local.get $names) (i32.const 1))
        (i32.const 64))
      (if (i32.eqz (i32.load8_u (i32.const 64))) (then (call $put (i32.const 0x2d)) return)) ;; -
      (local.set $case (i32.load8_u (i32.const 72)))
      (call $put (i32.load8_u (i32.add (i32.const 32) (local.get $case)))) ;; one of "nbiftj"
      (if (i32.eq (local.get $case) (i32.const 1))
        (then (call $put (i32.add (i32.const 0x30) (i32.load8_u (i32.const 80))))))
      (if (i32.or (i32.eq (local.get $case) (i32.const 2)) (i32.eq (local.get $case) (i32.const 3)))
        (then (call $put-bits (i64.load (i32.const 80)))))
      (if (i32.ge_u (local.get $case) (i32.const 4))
        (then (call $put-text (i32.load (i32.const 80)) (i32.load (i32.const 84))))))

    (func $ask-has (param $names i32)
      (call $put (i32.add (i32.const 0x30)
        (call $has (call $at (local.get $names) (i32.const 1)) (call $length (local.get $names) (i32.const 1))))))

    (func $ask-bucket (param $names i32)
      (call $bucket
        (call $at (local.get $names) (i32.const 1)) (call $length (local.get $names) (i32.const 1))
        (call $at (local.get $names) (i32.const 2)) (call $length (local.get $names) (i32.const 2))
        (call $length (local.get $names) (i32.const 3)) (i32.const 64))
      (if (i32.load8_u (i32.const 64))
        (then (call $put-bits (i64.load32_u (i32.const 68))))
        (else (call $put (i32.const 0x2d)))))

    ;; Each key, followed by a line break.
    (func $ask-keys
      (local $key i32) (local $left i32)
      (call $keys (i32.const 64))
      (local.set $key (i32.load (i32.const 64)))
      (local.set $left (i32.load (i32.const 68)))
      (block $done
        (loop $again
          (br_if $done (i32.eqz (local.get $left)))
          (call $put-text (i32.load (local.get $key)) (i32.load offset=4 (local.get $key)))
          (call $put (i32.const 0x0a))
          (local.set $key (i32.add (local.get $key) (i32.const 8)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $again))))

    (data (i32.const 32) "nbiftj")
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (local $first i32)
      ;; The first letter identifies the question.
      (local.set $first (i32.load8_u (call $at (local.get $names) (i32.const 0))))
      (if (i32.eq (local.get $first) (i32.const 0x67)) (then (call $ask-get (local.get $names)))) ;; g
      (if (i32.eq (local.get $first) (i32.const 0x68)) (then (call $ask-has (local.get $names)))) ;; h
      (if (i32.eq (local.get $first) (i32.const 0x62)) (then (call $ask-bucket (local.get $names)))) ;; b
      (if (i32.eq (local.get $first) (i32.const 0x6b)) (then (call $ask-keys))) ;; k
      (call $answer)))
  (core instance $guest (instantiate $guest
    (with "memory" (instance $memory))
    (with "context" (instance
      (export "get" (func $get))
      (export "has" (func $has))
      (export "keys" (func $keys))
      (export "bucket" (func $bucket))))))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $guest "select")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
