//go:build !wasip1

package spanmux

// Export does nothing outside a component. Tests call the selector function directly.
func Export(Selector) {}
