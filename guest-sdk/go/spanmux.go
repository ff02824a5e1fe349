// Package spanmux is for writing Spanmux selectors in Go: a function that is given the
// runtime context of one trace and the names of the available tracers, and answers which
// of them receives the trace.
//
//	func main() {}
//
//	func init() { spanmux.Export(choose) }
//
//	func choose(context spanmux.Context, tracers []string) spanmux.Decision {
//		if environment, ok := context.Text("environment"); ok && environment == "production" {
//			return spanmux.Choose("langfuse")
//		}
//		return spanmux.Abstain()
//	}
package spanmux

// JSON is an array, an object, or an integer beyond 2^53 - 1, as JSON text in one
// canonical form: no white space, members sorted by the bytes of their names.
type JSON string

// Questions are what a context can be asked.
type Questions interface {
	// Get gives the value of a key: nil for null, bool, int64, float64, string or JSON.
	Get(key string) (value any, ok bool)
	// Has says whether there is such a key, with a null value too.
	Has(key string) bool
	// Keys gives each key once, sorted. The costliest question.
	Keys() []string
	// Bucket says in which of some equal shares the value of a key falls, counted from 0.
	Bucket(key, salt string, buckets uint32) (share uint32, ok bool)
}

// Context is what the application knows about the run that is about to be traced.
type Context struct{ Questions }

// Text gives the value of a key if it is text.
func (c Context) Text(key string) (string, bool) { return typed[string](c, key) }

// Boolean gives the value of a key if it is a truth value.
func (c Context) Boolean(key string) (bool, bool) { return typed[bool](c, key) }

// Integer gives the value of a key if it is an integer from -(2^53 - 1) to 2^53 - 1.
func (c Context) Integer(key string) (int64, bool) { return typed[int64](c, key) }

// JSON gives the value of a key if it is an array, an object or a larger integer.
func (c Context) JSON(key string) (JSON, bool) { return typed[JSON](c, key) }

// Float gives the value of a key if it is a number.
func (c Context) Float(key string) (float64, bool) {
	if integer, ok := c.Integer(key); ok {
		return float64(integer), true
	}
	return typed[float64](c, key)
}

func typed[T any](c Context, key string) (T, bool) {
	value, _ := c.Get(key)
	of, ok := value.(T)
	return of, ok
}

// Decision is the answer of a selector.
type Decision struct {
	answer answer
	text   string
}

type answer uint8

const (
	abstained answer = iota
	chosen
	failed
)

// Choose sends the trace to the tracer of this name; to the fallback if there is none.
func Choose(tracer string) Decision { return Decision{chosen, tracer} }

// Abstain leaves the trace to the next selector, and after the last one to the default.
func Abstain() Decision { return Decision{} }

// Fail sends the trace to the fallback; the reason is recorded.
func Fail(reason string) Decision { return Decision{failed, reason} }

func (d Decision) String() string {
	return [...]string{"abstains", "chooses ", "fails: "}[d.answer] + d.text
}

// Selector decides which tracer receives one trace.
type Selector func(context Context, tracers []string) Decision

// decide makes a panic a failed decision with its message, which a trap has not.
func (s Selector) decide(context Context, tracers []string) (decision Decision) {
	defer func() {
		if reason := recover(); reason != nil {
			decision = Fail("panic: " + spelled(reason))
		}
	}()
	return s(context, tracers)
}

// spelled does without fmt, which is a quarter of a small selector.
func spelled(reason any) string {
	switch reason := reason.(type) {
	case error:
		return reason.Error()
	case string:
		return reason
	}
	return "a value that is neither an error nor a string"
}
