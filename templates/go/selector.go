// Production goes to Langfuse, development to the console; all else is left to others.
package main

import "selector/spanway"

func main() {}

func init() { spanway.Export(choose) }

func choose(context spanway.Context, tracers []string) spanway.Decision {
	switch environment, _ := context.Text("environment"); environment {
	case "production":
		return spanway.Choose("langfuse")
	case "development":
		return spanway.Choose("console")
	}
	return spanway.Abstain()
}
