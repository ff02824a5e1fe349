package spanmux

import "slices"

// Mock is a context for tests. Values holds the results of Get by complete key. Shares holds
// the results of Bucket by key, for every salt and modulo the number of buckets.
type Mock struct {
	Values map[string]any
	Shares map[string]uint32
}

// Context returns the mock as the context argument of a selector.
func (m Mock) Context() Context { return Context{m} }

// Get returns the value of a key. It converts an int to an int64.
func (m Mock) Get(key string) (any, bool) {
	value, ok := m.Values[key]
	if integer, is := value.(int); is {
		value = int64(integer)
	}
	return value, ok
}

// Has reports whether the key exists.
func (m Mock) Has(key string) bool {
	_, ok := m.Values[key]
	return ok
}

// Keys returns every key, sorted.
func (m Mock) Keys() []string {
	keys := make([]string, 0, len(m.Values))
	for key := range m.Values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Bucket returns the share of a key, modulo the number of buckets.
func (m Mock) Bucket(key, _ string, buckets uint32) (uint32, bool) {
	share, ok := m.Shares[key]
	return share % buckets, ok
}
