package main

import (
	"testing"

	"selector/spanmux"
)

func TestEnvironmentSelectsItsTracer(t *testing.T) {
	for _, row := range []struct {
		environment any
		decision    spanmux.Decision
	}{
		{"production", spanmux.Choose("langfuse")},
		{"development", spanmux.Choose("console")},
		{"staging", spanmux.Abstain()},
		{7, spanmux.Abstain()},
	} {
		mock := spanmux.Mock{Values: map[string]any{"environment": row.environment}}
		if got := choose(mock.Context(), []string{"langfuse", "console"}); got != row.decision {
			t.Errorf("%v: got %v, want %v", row.environment, got, row.decision)
		}
	}
}

func TestAbstainsWithoutEnvironment(t *testing.T) {
	if got := choose(spanmux.Mock{}.Context(), nil); got != spanmux.Abstain() {
		t.Error(got)
	}
}
