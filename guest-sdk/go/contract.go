//go:build wasip1

// Implements spanmux.go on top of the contract: the imported and exported functions of the
// component, with arguments in the layout of the canonical ABI.

package spanmux

import "unsafe"

var selector Selector

// Export registers the selector function of this component. Call it once, in init.
func Export(of Selector) { selector = of }

// Memory that the host wrote to during the current decision. The reference keeps it alive,
// because the garbage collector does not see the references of the host.
var held [][]uint64

//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldBytes, _, bytes uint32) unsafe.Pointer {
	// A slice of words, because their alignment is sufficient for every type of the contract.
	block := make([]uint64, bytes/8+1)
	held = append(held, block)
	at := unsafe.Pointer(&block[0])
	if old != nil {
		copy(unsafe.Slice((*byte)(at), bytes), unsafe.Slice((*byte)(old), oldBytes))
	}
	return at
}

// slice is a pointer and a length in the layout of the canonical ABI.
type slice struct{ at, length uint32 }

func (s slice) text() string {
	return unsafe.String((*byte)(unsafe.Pointer(uintptr(s.at))), s.length)
}

func (s slice) texts() []string {
	texts := make([]string, s.length)
	for i, text := range unsafe.Slice((*slice)(unsafe.Pointer(uintptr(s.at))), s.length) {
		texts[i] = text.text()
	}
	return texts
}

func sliceOf(text string) slice {
	return slice{uint32(uintptr(unsafe.Pointer(unsafe.StringData(text)))), uint32(len(text))}
}

// optionalValue is option<value>: 24 bytes, with the payload at offset 16.
type optionalValue struct {
	isSome uint8
	_      [7]uint8
	tag    uint8
	_      [7]uint8
	of     uint64
}

type optionalShare struct {
	isSome uint8
	_      [3]uint8
	share  uint32
}

//go:wasmimport spanmux:selector/runtime-context@0.1.0 get
func hostGet(key string, answer unsafe.Pointer)

//go:wasmimport spanmux:selector/runtime-context@0.1.0 has
func hostHas(key string) uint32

//go:wasmimport spanmux:selector/runtime-context@0.1.0 keys
func hostKeys(answer unsafe.Pointer)

//go:wasmimport spanmux:selector/runtime-context@0.1.0 bucket
func hostBucket(key, salt string, buckets uint32, answer unsafe.Pointer)

// host implements Questions with calls to the host.
type host struct{}

func (host) Get(key string) (any, bool) {
	var answer optionalValue
	hostGet(key, unsafe.Pointer(&answer))
	if answer.isSome == 0 {
		return nil, false
	}
	at := unsafe.Pointer(&answer.of)
	switch answer.tag {
	case 1:
		return *(*uint8)(at) != 0, true
	case 2:
		return *(*int64)(at), true
	case 3:
		return *(*float64)(at), true
	case 4:
		return (*slice)(at).text(), true
	case 5:
		return JSON((*slice)(at).text()), true
	}
	return nil, true
}

func (host) Has(key string) bool { return hostHas(key) != 0 }

func (host) Keys() []string {
	var answer slice
	hostKeys(unsafe.Pointer(&answer))
	return answer.texts()
}

func (host) Bucket(key, salt string, buckets uint32) (uint32, bool) {
	var answer optionalShare
	hostBucket(key, salt, buckets, unsafe.Pointer(&answer))
	return answer.share, answer.isSome != 0
}

// result<option<string>, string>: ok(none), ok(some(name)) or err(reason). For an error, of
// holds the reason. Otherwise it holds 1 and the name, or 0.
var result struct {
	isError uint32
	of      [3]uint32
}

// answered is the string that the result points to.
var answered string

//go:wasmexport spanmux:selector/selection@0.1.0#select
func hostSelect(names, count uint32) unsafe.Pointer {
	decision := selector.decide(Context{host{}}, slice{names, count}.texts())
	answered = decision.text
	text := sliceOf(answered)
	if decision.answer == failed {
		result.isError = 1
		result.of = [3]uint32{text.at, text.length, 0}
	} else {
		result.isError = 0
		result.of = [3]uint32{uint32(decision.answer), text.at, text.length}
	}
	return unsafe.Pointer(&result)
}

//go:wasmexport cabi_post_spanmux:selector/selection@0.1.0#select
func hostSelectDone(unsafe.Pointer) {
	held, answered = nil, ""
}
