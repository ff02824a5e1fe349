;; Prints 4,096 bytes at a time in an endless loop.
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

  (core module $memory
    (memory (export "memory") 1)  (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      global.get $free
      (global.set $free (i32.and
        (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7))
        (i32.const -8)))))
  (core instance $memory (instantiate $memory))
  (core func $stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $memory "memory"))))

  (core module $guest
    (import "wasi" "stdout" (func $stdout (result i32)))
    (import "wasi" "write" (func $write (param i32 i32 i32 i32)))
    (import "memory" "memory" (memory 1))
    (func (export "select") (param $names i32) (param $count i32) (result i32)
      (local $stream i32)
      (local.set $stream (call $stdout))
      (loop $again
        (call $write (local.get $stream) (i32.const 8192) (i32.const 4096) (i32.const 64))
        (br $again))
      unreachable))
  (core instance $guest (instantiate $guest
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "stdout" (func $stdout))
      (export "write" (func $write))))))

  (func $select (param "available-tracers" (list string))
      (result (result (option string) (error string)))
    (canon lift (core func $guest "select")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (instance $selection (export "select" (func $select)))
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
