// The reference selector in Go: what the context's `op` asks for. See ../README.md.
package main

import (
	"fmt"
	"math"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"time"

	"selector/spanway"
)

func main() {}

func init() { spanway.Export(choose) }

func choose(context spanway.Context, tracers []string) spanway.Decision {
	op, ok := context.Text("op")
	if !ok {
		return byEnvironment(context)
	}
	key := text(context, "key")
	switch op {
	case "choose":
		return spanway.Choose(text(context, "name"))
	case "fail":
		return spanway.Fail(text(context, "message"))
	case "last":
		if len(tracers) == 0 {
			return spanway.Abstain()
		}
		return spanway.Choose(tracers[len(tracers)-1])
	case "tracers":
		return spanway.Fail(strings.Join(tracers, "\n"))
	case "get":
		return spanway.Fail(rendered(context.Get(key)))
	case "has":
		return yes(context.Has(key))
	case "keys":
		return spanway.Fail(strings.Join(context.Keys(), "\n"))
	case "bucket":
		return bucket(context, key)
	case "same":
		return yes(text(context, "left") == text(context, "right"))
	case "world":
		return spanway.Fail(world())
	case "mistake":
		var nothing map[string]string
		nothing[op] = "a panic"
	case "trap":
		os.Exit(1)
	}
	return spanway.Abstain()
}

func byEnvironment(context spanway.Context) spanway.Decision {
	switch environment, _ := context.Text("environment"); environment {
	case "production":
		return spanway.Choose("langfuse")
	case "development":
		return spanway.Choose("console")
	}
	return spanway.Abstain()
}

func text(context spanway.Context, key string) string {
	text, _ := context.Text(key)
	return text
}

func yes(yes bool) spanway.Decision {
	if yes {
		return spanway.Fail("yes")
	}
	return spanway.Fail("no")
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
	case spanway.JSON:
		return "json " + string(value)
	}
	return "null"
}

func bucket(context spanway.Context, key string) spanway.Decision {
	buckets, _ := context.Integer("buckets")
	share, ok := context.Bucket(key, text(context, "salt"), uint32(buckets))
	if !ok {
		return spanway.Fail("absent")
	}
	return spanway.Fail(strconv.FormatUint(uint64(share), 10))
}

// What a Go program sees of the world.
func world() string {
	return fmt.Sprint(time.Now().UnixNano(), rand.Int63(), len(os.Environ()), len(os.Args))
}
