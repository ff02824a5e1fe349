;; Interprets a program in its memory, so that a test can turn any program into a selector
;; by changing bytes. A program is a table of states of 24 bytes each, followed by its
;; texts. `suites/decision_cache/program.rs` writes it:
;;
;;   0 operation           4 text: address and length     12 number
;;   1 flags               8 salt: address and length     16 targets, one byte each
;;   2 number of targets
;;
;; Every answer is hashed into one digest, and the digest selects the target. A run
;; therefore depends on every bit of every answer: each bit must affect the low bits,
;; which the remainder uses.
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

  ;; The memory is in its own module, because the host functions write into it: answers
  ;; start at 176 KiB. If they reach the end, the next one traps.
  (core module $memory
    (memory (export "memory") 8)
    (global $free (mut i32) (i32.const 180224))
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

  (core module $interpreter
    (import "context" "get" (func $get (param i32 i32 i32)))
    (import "context" "has" (func $has (param i32 i32) (result i32)))
    (import "context" "keys" (func $keys (param i32)))
    (import "context" "bucket" (func $bucket (param i32 i32 i32 i32 i32 i32)))
    (import "memory" "memory" (memory 8))
    (data (i32.const 4096) "the program")
    (global $digest (mut i64) (i64.const 0))
    ;; The text of the last answer.
    (global $text (mut i32) (i32.const 0))
    (global $length (mut i32) (i32.const 0))
    ;; The buffer in which words are assembled, at most 128 KiB, and its used length.
    (global $words i32 (i32.const 49152))
    (global $end (mut i32) (i32.const 0))

    (func $fold (param $bits i64)
      (global.set $digest (i64.mul
        (i64.rotl (i64.xor (global.get $digest) (local.get $bits)) (i64.const 23))
        (i64.const 0x9e3779b97f4a7c15)))
      (global.set $digest (i64.xor
        (global.get $digest)
        (i64.shr_u (global.get $digest) (i64.const 32)))))
    ;; The length, then eight bytes at a time, then the remaining bytes.
    (func $fold-text (param $at i32) (param $length i32)
      (local $left i32)
      (global.set $text (local.get $at))
      (global.set $length (local.get $length))
      (local.set $left (local.get $length))
      (call $fold (i64.extend_i32_u (local.get $length)))
      (block $short
        (loop $again
          (br_if $short (i32.lt_u (local.get $left) (i32.const 8)))
          (call $fold (i64.load (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (local.set $left (i32.sub (local.get $left) (i32.const 8)))
          (br $again)))
      (block $done
        (loop $again
          (br_if $done (i32.eqz (local.get $left)))
          (call $fold (i64.load8_u (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $again))))
    ;; A list of texts: their number, then each text.
    (func $fold-list (param $at i32) (param $left i32)
      (call $fold (i64.extend_i32_u (local.get $left)))
      (block $done
        (loop $again
          (br_if $done (i32.eqz (local.get $left)))
          (call $fold-text (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $again))))

    (func $put-text (param $at i32) (param $length i32)
      (memory.copy (global.get $end) (local.get $at) (local.get $length))
      (global.set $end (i32.add (global.get $end) (local.get $length))))
    ;; Sixteen hexadecimal digits.
    (func $put-digest
      (local $bits i64) (local $left i32) (local $digit i32)
      (local.set $bits (global.get $digest))
      (local.set $left (i32.const 16))
      (loop $again
        (local.set $digit (i32.wrap_i64 (i64.shr_u (local.get $bits) (i64.const 60))))
        (i32.store8 (global.get $end) (i32.add (local.get $digit)
          (select (i32.const 0x30) (i32.const 0x57) (i32.lt_u (local.get $digit) (i32.const 10)))))
        (global.set $end (i32.add (global.get $end) (i32.const 1)))
        (local.set $bits (i64.shl (local.get $bits) (i64.const 4)))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
    ;; The words of a state: its text, with flag 1 the last answer, and with flag 2 the
    ;; digest. Returns their length.
    (func $put-words (param $state i32) (result i32)
      (global.set $end (global.get $words))
      (call $put-text
        (i32.load16_u offset=4 (local.get $state)) (i32.load16_u offset=6 (local.get $state)))
      (if (i32.and (i32.load8_u offset=1 (local.get $state)) (i32.const 1))
        (then (call $put-text (global.get $text) (global.get $length))))
      (if (i32.and (i32.load8_u offset=1 (local.get $state)) (i32.const 2))
        (then (call $put-digest)))
      (i32.sub (global.get $end) (global.get $words)))

    ;; Some or none, the case, then the whole value.
    (func $ask-get (param $at i32) (param $length i32)
      (local $case i32)
      (call $get (local.get $at) (local.get $length) (i32.const 64))
      (call $fold (i64.load8_u (i32.const 64)))
      (if (i32.eqz (i32.load8_u (i32.const 64))) (then return))
      (local.set $case (i32.load8_u (i32.const 72)))
      (call $fold (i64.extend_i32_u (local.get $case)))
      (if (i32.eq (local.get $case) (i32.const 1))
        (then (call $fold (i64.load8_u (i32.const 80)))))
      (if (i32.or (i32.eq (local.get $case) (i32.const 2)) (i32.eq (local.get $case) (i32.const 3)))
        (then (call $fold (i64.load (i32.const 80)))))
      (if (i32.ge_u (local.get $case) (i32.const 4))
        (then (call $fold-text (i32.load (i32.const 80)) (i32.load (i32.const 84))))))
    (func $ask-bucket (param $state i32)
      (call $bucket
        (global.get $words) (call $put-words (local.get $state))
        (i32.load16_u offset=8 (local.get $state)) (i32.load16_u offset=10 (local.get $state))
        (i32.load offset=12 (local.get $state)) (i32.const 64))
      (call $fold (i64.load8_u (i32.const 64)))
      (if (i32.load8_u (i32.const 64)) (then (call $fold (i64.load32_u (i32.const 68))))))
    (func $ask-keys
      (call $keys (i32.const 64))
      (call $fold-list (i32.load (i32.const 64)) (i32.load (i32.const 68))))
    ;; All keys, then the value of each key.
    (func $ask-all
      (local $key i32) (local $left i32)
      (call $ask-keys)
      (local.set $key (i32.load (i32.const 64)))
      (local.set $left (i32.load (i32.const 68)))
      (block $done
        (loop $again
          (br_if $done (i32.eqz (local.get $left)))
          (call $ask-get (i32.load (local.get $key)) (i32.load offset=4 (local.get $key)))
          (local.set $key (i32.add (local.get $key) (i32.const 8)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $again))))

    ;; A loop with as many turns as the digest says.
    (func $burn (param $turns i32)
      (local $left i64)
      (local.set $left (i64.rem_u (global.get $digest) (i64.extend_i32_u (local.get $turns))))
      (block $done
        (loop $again
          (br_if $done (i64.eqz (local.get $left)))
          (local.set $left (i64.sub (local.get $left) (i64.const 1)))
          (br $again))))
    ;; Grows the memory until the host refuses, and counts.
    (func $grow
      (local $times i64)
      (block $done
        (loop $again
          (br_if $done (i32.eq (memory.grow (i32.const 8)) (i32.const -1)))
          (local.set $times (i64.add (local.get $times) (i64.const 1)))
          (br $again)))
      (call $fold (local.get $times)))
    (func $recurse (param $depth i32) (result i32)
      (i32.add (call $recurse (i32.add (local.get $depth) (i32.const 1))) (i32.const 1)))

    ;; ok(none)
    (func $abstain (result i32)
      (i32.store (i32.const 512) (i32.const 0))
      (i32.store (i32.const 516) (i32.const 0))
      i32.const 512)
    ;; ok(some(text))
    (func $choose (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 512) (i32.const 0))
      (i32.store (i32.const 516) (i32.const 1))
      (i32.store (i32.const 520) (local.get $at))
      (i32.store (i32.const 524) (local.get $length))
      i32.const 512)
    ;; err(text)
    (func $fail (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 512) (i32.const 1))
      (i32.store (i32.const 516) (local.get $at))
      (i32.store (i32.const 520) (local.get $length))
      i32.const 512)
    ;; The tracer that the digest selects.
    (func $choose-tracer (param $names i32) (param $count i32) (result i32)
      (local $name i32)
      (local.set $name (i32.add (local.get $names) (i32.shl
        (i32.wrap_i64 (i64.rem_u (global.get $digest) (i64.extend_i32_u (local.get $count))))
        (i32.const 3))))
      (call $choose (i32.load (local.get $name)) (i32.load offset=4 (local.get $name))))

    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (local $state i32) (local $what i32)
      (local.set $state (i32.const 4096))
      (loop $next
        (local.set $what (i32.load8_u (local.get $state)))
        ;; Questions.
        (if (i32.eq (local.get $what) (i32.const 1))
          (then (call $ask-get (global.get $words) (call $put-words (local.get $state)))))
        (if (i32.eq (local.get $what) (i32.const 2))
          (then (call $fold (i64.extend_i32_u
            (call $has (global.get $words) (call $put-words (local.get $state)))))))
        (if (i32.eq (local.get $what) (i32.const 3)) (then (call $ask-keys)))
        (if (i32.eq (local.get $what) (i32.const 4)) (then (call $ask-bucket (local.get $state))))
        (if (i32.eq (local.get $what) (i32.const 5)) (then (call $ask-all)))
        ;; Other operations.
        (if (i32.eq (local.get $what) (i32.const 6))
          (then (call $fold-list (local.get $names) (local.get $count))))
        (if (i32.eq (local.get $what) (i32.const 7))
          (then (call $burn (i32.load offset=12 (local.get $state)))))
        (if (i32.eq (local.get $what) (i32.const 8)) (then (call $grow)))
        ;; Ends.
        (if (i32.eq (local.get $what) (i32.const 16)) (then (return (call $abstain))))
        (if (i32.eq (local.get $what) (i32.const 17))
          (then (return (call $choose (global.get $words) (call $put-words (local.get $state))))))
        (if (i32.eq (local.get $what) (i32.const 18))
          (then (return (call $choose-tracer (local.get $names) (local.get $count)))))
        (if (i32.eq (local.get $what) (i32.const 19))
          (then (return (call $fail (global.get $words) (call $put-words (local.get $state))))))
        (if (i32.eq (local.get $what) (i32.const 20)) (then unreachable))
        (if (i32.eq (local.get $what) (i32.const 21))
          (then (return (i32.div_u (local.get $count) (i32.const 0)))))
        (if (i32.eq (local.get $what) (i32.const 22)) (then (loop $for-ever (br $for-ever))))
        (if (i32.eq (local.get $what) (i32.const 23)) (then (return (call $recurse (i32.const 0)))))
        ;; Continue with the target that the digest selects.
        (local.set $state (i32.add (i32.const 4096) (i32.mul (i32.const 24)
          (i32.load8_u offset=16 (i32.add (local.get $state) (i32.wrap_i64 (i64.rem_u
            (global.get $digest) (i64.load8_u offset=2 (local.get $state)))))))))
        (br $next))
      unreachable))
  (core instance $interpreter (instantiate $interpreter
    (with "memory" (instance $memory))
    (with "context" (instance
      (export "get" (func $get))
      (export "has" (func $has))
      (export "keys" (func $keys))
      (export "bucket" (func $bucket))))))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $interpreter "select")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
