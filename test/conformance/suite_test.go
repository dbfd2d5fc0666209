package main

import (
	"fmt"
	"testing"

	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// TestConformance is the official suite with its own flags. A line for each test gives its result as soon as the test ends:
// go test reports subtests only when the whole suite ends.
func TestConformance(t *testing.T) {
	options := conformance.DefaultOptions(t)
	options.Hook = func(t *testing.T, test suite.ConformanceTest, _ *suite.ConformanceTestSuite) {
		result := "passed"
		if t.Failed() {
			result = "failed"
		} else if t.Skipped() {
			result = "skipped"
		}
		fmt.Printf("\nRESULT %s %s\n", result, test.ShortName)
	}
	conformance.RunConformanceWithOptions(t, options)
}
