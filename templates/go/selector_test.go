package main

import (
	"testing"

	"selector/spanway"
)

func TestEachEnvironmentGoesWhereItShould(t *testing.T) {
	for _, row := range []struct {
		environment any
		decision    spanway.Decision
	}{
		{"production", spanway.Choose("langfuse")},
		{"development", spanway.Choose("console")},
		{"staging", spanway.Abstain()},
		{7, spanway.Abstain()},
	} {
		mock := spanway.Mock{Values: map[string]any{"environment": row.environment}}
		if got := choose(mock.Context(), []string{"langfuse", "console"}); got != row.decision {
			t.Errorf("%v: %v, not %v", row.environment, got, row.decision)
		}
	}
}

func TestWithoutAnEnvironmentItAbstains(t *testing.T) {
	if got := choose(spanway.Mock{}.Context(), nil); got != spanway.Abstain() {
		t.Error(got)
	}
}
