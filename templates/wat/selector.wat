;; Sends production to Langfuse and development to the console. Abstains otherwise.
;;
;; Arguments and results follow the canonical ABI of the component model. A string is a pointer and
;; a length. An option or a variant is a discriminant byte, followed by the payload at the next
;; offset that is aligned for it.
(module
  ;; get takes the pointer and length of the key and a pointer for the result, option<value>, 24
  ;; bytes: at 0 whether a value is present, at 8 its type (4 is text), at 16 its pointer, at 20 its
  ;; length.
  (import "spanmux:selector/runtime-context@0.1.0" "get" (func $get (param i32 i32 i32)))
  (memory (export "memory") 1)

  (data (i32.const 16) "environment")
  (data (i32.const 32) "production")
  (data (i32.const 48) "development")
  (data (i32.const 64) "langfuse")
  (data (i32.const 80) "console")

  ;; The host calls cabi_realloc for memory to write strings to, and cabi_post after it has read the
  ;; result.
  (global $free (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
    global.get $free
    (global.set $free (i32.and
      (i32.add (i32.add (global.get $free) (local.get $bytes)) (i32.const 7)) (i32.const -8)))
    (if (i32.gt_u (global.get $free) (i32.const 65536)) (then unreachable)))
  (func (export "cabi_post_spanmux:selector/selection@0.1.0#select") (param i32)
    (global.set $free (i32.const 1024)))

  ;; Returns 1 if the value at 128 is equal to this text.
  (func $is (param $text i32) (param $length i32) (result i32)
    (if (i32.ne (i32.load8_u (i32.const 128)) (i32.const 1)) (then (return (i32.const 0))))
    (if (i32.ne (i32.load8_u (i32.const 136)) (i32.const 4)) (then (return (i32.const 0))))
    (if (i32.ne (i32.load (i32.const 148)) (local.get $length)) (then (return (i32.const 0))))
    (loop $next
      (if (i32.eqz (local.get $length)) (then (return (i32.const 1))))
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))
      (br_if $next (i32.eq
        (i32.load8_u (i32.add (local.get $text) (local.get $length)))
        (i32.load8_u (i32.add (i32.load (i32.const 144)) (local.get $length))))))
    (i32.const 0))

  ;; Writes ok(some(name)) at 192: at 0 whether it is an error, at 4 whether a name is present, at 8
  ;; its pointer, at 12 its length.
  (func $choose (param $name i32) (param $length i32) (result i32)
    (i32.store offset=192 (i32.const 4) (i32.const 1))
    (i32.store offset=192 (i32.const 8) (local.get $name))
    (i32.store offset=192 (i32.const 12) (local.get $length))
    (i32.const 192))

  ;; select takes a pointer to the tracer names and their number.
  (func (export "spanmux:selector/selection@0.1.0#select") (param i32 i32) (result i32)
    (call $get (i32.const 16) (i32.const 11) (i32.const 128))
    (if (call $is (i32.const 32) (i32.const 10))
      (then (return (call $choose (i32.const 64) (i32.const 8)))))
    (if (call $is (i32.const 48) (i32.const 11))
      (then (return (call $choose (i32.const 80) (i32.const 7)))))
    ;; ok(none)
    (i32.store offset=192 (i32.const 4) (i32.const 0))
    (i32.const 192)))
