// The reference selector in Go. The key `op` selects its operation. See ../README.md.
package main

import (
	"fmt"
	"math"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"time"

	"selector/spanmux"
)

func main() {}

func init() { spanmux.Export(choose) }

func choose(context spanmux.Context, tracers []string) spanmux.Decision {
	op, ok := context.Text("op")
	if !ok {
		return byEnvironment(context)
	}
	key := text(context, "key")
	switch op {
	case "choose":
		return spanmux.Choose(text(context, "name"))
	case "fail":
		return spanmux.Fail(text(context, "message"))
	case "last":
		if len(tracers) == 0 {
			return spanmux.Abstain()
		}
		return spanmux.Choose(tracers[len(tracers)-1])
	case "tracers":
		return spanmux.Fail(strings.Join(tracers, "\n"))
	case "get":
		return spanmux.Fail(rendered(context.Get(key)))
	case "has":
		return yes(context.Has(key))
	case "keys":
		return spanmux.Fail(strings.Join(context.Keys(), "\n"))
	case "bucket":
		return bucket(context, key)
	case "same":
		return yes(text(context, "left") == text(context, "right"))
	case "world":
		return spanmux.Fail(world())
	case "mistake":
		var nothing map[string]string
		nothing[op] = "a panic"
	case "trap":
		os.Exit(1)
	}
	return spanmux.Abstain()
}

func byEnvironment(context spanmux.Context) spanmux.Decision {
	switch environment, _ := context.Text("environment"); environment {
	case "production":
		return spanmux.Choose("langfuse")
	case "development":
		return spanmux.Choose("console")
	}
	return spanmux.Abstain()
}

func text(context spanmux.Context, key string) string {
	text, _ := context.Text(key)
	return text
}

func yes(yes bool) spanmux.Decision {
	if yes {
		return spanmux.Fail("yes")
	}
	return spanmux.Fail("no")
}

func rendered(value any, ok bool) string {
	if !ok {
		return "absent"
	}
	switch value := value.(type) {
	case bool:
		return "boolean " + strconv.FormatBool(value)
	case int64:
		return "integer " + strconv.FormatInt(value, 10)
	case float64:
		return fmt.Sprintf("float %016x", math.Float64bits(value))
	case string:
		return "text " + value
	case spanmux.JSON:
		return "json " + string(value)
	}
	return "null"
}

func bucket(context spanmux.Context, key string) spanmux.Decision {
	buckets, _ := context.Integer("buckets")
	share, ok := context.Bucket(key, text(context, "salt"), uint32(buckets))
	if !ok {
		return spanmux.Fail("absent")
	}
	return spanmux.Fail(strconv.FormatUint(uint64(share), 10))
}

// world reports the clock, random numbers, environment and arguments of the program.
func world() string {
	return fmt.Sprint(time.Now().UnixNano(), rand.Int63(), len(os.Environ()), len(os.Args))
}
