// Production goes to Langfuse, development to the console; all else is left to others.
package main

import "selector/spanmux"

func main() {}

func init() { spanmux.Export(choose) }

func choose(context spanmux.Context, tracers []string) spanmux.Decision {
	switch environment, _ := context.Text("environment"); environment {
	case "production":
		return spanmux.Choose("langfuse")
	case "development":
		return spanmux.Choose("console")
	}
	return spanmux.Abstain()
}
