// Package spanmux is the kit for writing Spanmux selectors in Go. A selector is a function
// that takes the runtime context of one trace and the names of the available tracers, and
// decides which tracer receives the trace.
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

// JSON is an array, an object, or an integer beyond ±(2^53 - 1), as canonical JSON text: no
// white space, members sorted by the bytes of their names.
type JSON string

// Questions are the questions that a selector can ask about a context.
type Questions interface {
	// Get returns the value of a key: nil for null, a bool, int64, float64, string or JSON.
	Get(key string) (value any, ok bool)
	// Has reports whether the key exists, even if its value is null.
	Has(key string) bool
	// Keys returns every key once, sorted. It is the most expensive question.
	Keys() []string
	// Bucket returns the bucket of the value of a key, from 0 to buckets - 1.
	Bucket(key, salt string, buckets uint32) (share uint32, ok bool)
}

// Context is the runtime context: key/value data about the run to be traced.
type Context struct{ Questions }

// Text returns the value of a key if it is text.
func (c Context) Text(key string) (string, bool) { return typed[string](c, key) }

// Boolean returns the value of a key if it is a boolean.
func (c Context) Boolean(key string) (bool, bool) { return typed[bool](c, key) }

// Integer returns the value of a key if it is an integer from -(2^53 - 1) to 2^53 - 1.
func (c Context) Integer(key string) (int64, bool) { return typed[int64](c, key) }

// JSON returns the value of a key if it is an array, an object or a larger integer.
func (c Context) JSON(key string) (JSON, bool) { return typed[JSON](c, key) }

// Float returns the value of a key if it is a number.
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

// Decision is the decision of a selector.
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

// Choose sends the trace to the tracer with this name, or to the fallback tracer if it does
// not exist.
func Choose(tracer string) Decision { return Decision{chosen, tracer} }

// Abstain leaves the decision to the next selector. If all selectors abstain, the trace goes
// to the default tracer.
func Abstain() Decision { return Decision{} }

// Fail sends the trace to the fallback tracer and records the reason.
func Fail(reason string) Decision { return Decision{failed, reason} }

func (d Decision) String() string {
	return [...]string{"abstains", "chooses ", "fails: "}[d.answer] + d.text
}

// Selector decides which tracer receives one trace.
type Selector func(context Context, tracers []string) Decision

// decide converts a panic into a failed decision with the message of the panic. A trap would
// lose the message.
func (s Selector) decide(context Context, tracers []string) (decision Decision) {
	defer func() {
		if reason := recover(); reason != nil {
			decision = Fail("panic: " + spelled(reason))
		}
	}()
	return s(context, tracers)
}

// spelled formats a reason without fmt, which would be a quarter of a small selector.
func spelled(reason any) string {
	switch reason := reason.(type) {
	case error:
		return reason.Error()
	case string:
		return reason
	}
	return "a value that is neither an error nor a string"
}
