;; Reads everything that WASI provides, prints, sleeps for ten seconds, and answers with
;; the values as hexadecimal digits: the monotonic clock twice, the wall clock, a random
;; number, the numbers of variables and arguments, and the clock after the sleep.
(component
  (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "error" (type $error' (eq $error)))
    (export "output-stream" (type $stream (sub resource)))
    (type $stream-error' (variant
      (case "last-operation-failed" (own $error')) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $stream)) (param "contents" (list u8))
      (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (export "output-stream" (type $stream (eq $output-stream)))
    (export "get-stdout" (func (result (own $stream))))))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (export "pollable" (type $pollable' (eq $pollable)))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable'))))))
  (import "wasi:clocks/wall-clock@0.2.3" (instance $wall
    (type $datetime' (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $datetime (eq $datetime')))
    (export "now" (func (result $datetime)))))
  (import "wasi:random/random@0.2.3" (instance $random
    (export "get-random-u64" (func (result u64)))))
  (import "wasi:cli/environment@0.2.3" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))))
  ;; Never called: selectors have no files, but toolchains import this.
  (import "wasi:filesystem/types@0.2.3" (instance
    (export "descriptor" (type $descriptor (sub resource)))
    (export "[method]descriptor.sync" (func (param "self" (borrow $descriptor))))))

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
  (core func $now (canon lower (func $clock "now")))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $wall (canon lower (func $wall "now") (memory (core memory $memory "memory"))))
  (core func $random (canon lower (func $random "get-random-u64")))
  (core func $environment (canon lower (func $environment "get-environment")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $arguments (canon lower (func $environment "get-arguments")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $memory "memory"))))

  (core module $guest
    (import "wasi" "now" (func $now (result i64)))
    (import "wasi" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "wasi" "block" (func $block (param i32)))
    (import "wasi" "wall" (func $wall (param i32)))
    (import "wasi" "random" (func $random (result i64)))
    (import "wasi" "environment" (func $environment (param i32)))
    (import "wasi" "arguments" (func $arguments (param i32)))
    (import "wasi" "stdout" (func $stdout (result i32)))
    (import "wasi" "write" (func $write (param i32 i32 i32 i32)))
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
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (call $put-bits (call $now))
      (call $put-bits (call $now))
      (call $wall (i32.const 64))
      (call $put-bits (i64.load (i32.const 64)))
      (call $put-bits (i64.load32_u (i32.const 72)))
      (call $put-bits (call $random))
      (call $environment (i32.const 64))
      (call $put-bits (i64.load32_u (i32.const 68)))
      (call $arguments (i32.const 64))
      (call $put-bits (i64.load32_u (i32.const 68)))
      (call $write (call $stdout) (i32.const 128) (i32.const 14) (i32.const 64))
      (call $block (call $subscribe (i64.const 10000000000)))
      (call $put-bits (call $now))
      (call $answer))
    (data (i32.const 128) "a line\nanother"))
  (core instance $guest (instantiate $guest
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "now" (func $now))
      (export "subscribe" (func $subscribe))
      (export "block" (func $block))
      (export "wall" (func $wall))
      (export "random" (func $random))
      (export "environment" (func $environment))
      (export "arguments" (func $arguments))
      (export "stdout" (func $stdout))
      (export "write" (func $write))))))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $guest "select")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
