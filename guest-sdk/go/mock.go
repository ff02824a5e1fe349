package spanmux

import "slices"

// Mock is a context for tests: its values by their whole keys, as Get gives them. The
// share of each key in any draw is that of Shares.
type Mock struct {
	Values map[string]any
	Shares map[string]uint32
}

// Context gives the mock as a selector is given it.
func (m Mock) Context() Context { return Context{m} }

// Get gives the value of a key. An int is an int64.
func (m Mock) Get(key string) (any, bool) {
	value, ok := m.Values[key]
	if integer, is := value.(int); is {
		value = int64(integer)
	}
	return value, ok
}

// Has says whether there is such a key.
func (m Mock) Has(key string) bool {
	_, ok := m.Values[key]
	return ok
}

// Keys gives each key, sorted.
func (m Mock) Keys() []string {
	keys := make([]string, 0, len(m.Values))
	for key := range m.Values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Bucket gives the share of a key.
func (m Mock) Bucket(key, _ string, buckets uint32) (uint32, bool) {
	share, ok := m.Shares[key]
	return share % buckets, ok
}
