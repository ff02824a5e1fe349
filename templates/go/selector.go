// Sends production to Langfuse and development to the console. Abstains otherwise.
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
