// Command contour measures Contour's own compiler: from the bytes of manifests (JSON Lines) to the snapshot that it
// serves and to JSON, and from one changed HTTPProxy to the next. It uses internal packages, so that it is built inside a copy of
// Contour's source. It prints one line of JSON.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"time"

	"github.com/sirupsen/logrus"
	"google.golang.org/protobuf/encoding/protojson"
	core_v1 "k8s.io/api/core/v1"
	discovery_v1 "k8s.io/api/discovery/v1"

	contour_v1 "github.com/projectcontour/contour/apis/projectcontour/v1"
	contour_v1alpha1 "github.com/projectcontour/contour/apis/projectcontour/v1alpha1"
	"github.com/projectcontour/contour/internal/dag"
	envoy_v3 "github.com/projectcontour/contour/internal/envoy/v3"
	"github.com/projectcontour/contour/internal/xdscache"
	xdscache_v3 "github.com/projectcontour/contour/internal/xdscache/v3"
)

const changes = 11

// compiler is what `contour serve` puts together between the API server and its xDS server.
type compiler struct {
	builder   *dag.Builder
	endpoints *xdscache_v3.EndpointSliceTranslator
	resources []xdscache.ResourceCache
	observer  dag.Observer
}

func newCompiler() *compiler {
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	endpoints := xdscache_v3.NewEndpointSliceTranslator(logger)
	generator := envoy_v3.NewEnvoyGen(envoy_v3.EnvoyGenOpt{XDSClusterName: envoy_v3.DefaultXDSClusterName})
	resources := []xdscache.ResourceCache{
		xdscache_v3.NewListenerCache(
			xdscache_v3.ListenerConfig{},
			contour_v1alpha1.MetricsConfig{Address: "0.0.0.0", Port: 8002},
			contour_v1alpha1.HealthConfig{Address: "0.0.0.0", Port: 8002},
			nil,
			0,
			generator,
		),
		&xdscache_v3.SecretCache{},
		&xdscache_v3.RouteCache{},
		xdscache_v3.NewClusterCache(generator),
		endpoints,
	}
	snapshots := xdscache_v3.NewSnapshotHandler(resources, logger)
	endpoints.SetObserver(snapshots)
	builder := &dag.Builder{
		Source: dag.KubernetesCache{FieldLogger: logger},
		Processors: []dag.Processor{
			&dag.ListenerProcessor{HTTPAddress: "0.0.0.0", HTTPPort: 8080, HTTPSAddress: "0.0.0.0", HTTPSPort: 8443},
			&dag.IngressProcessor{FieldLogger: logger},
			&dag.ExtensionServiceProcessor{FieldLogger: logger},
			&dag.HTTPProxyProcessor{},
		},
	}
	observer := dag.ComposeObservers(append(xdscache.ObserversOf(resources), snapshots)...)
	return &compiler{builder, endpoints, resources, observer}
}

func (c *compiler) compile() {
	c.observer.OnChange(c.builder.Build())
}

// read decodes one manifest; nil for kinds that are of no interest here.
func read(line []byte) (any, error) {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, err
	}
	var object any
	switch head.Kind {
	case "Namespace":
		object = &core_v1.Namespace{}
	case "Service":
		object = &core_v1.Service{}
	case "EndpointSlice":
		object = &discovery_v1.EndpointSlice{}
	case "HTTPProxy":
		object = &contour_v1.HTTPProxy{}
	default:
		return nil, fmt.Errorf("unexpected kind %q", head.Kind)
	}
	return object, json.Unmarshal(line, object)
}

func (c *compiler) load(manifests []byte) (*contour_v1.HTTPProxy, error) {
	var last *contour_v1.HTTPProxy
	scanner := bufio.NewScanner(bytes.NewReader(manifests))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		object, err := read(scanner.Bytes())
		if err != nil {
			return nil, err
		}
		switch object := object.(type) {
		case *discovery_v1.EndpointSlice:
			c.endpoints.OnAdd(object, true)
		case *contour_v1.HTTPProxy:
			last = object
			c.builder.Source.Insert(object)
		default:
			c.builder.Source.Insert(object)
		}
	}
	return last, scanner.Err()
}

// encode writes every resource as JSON, which Contour itself does not need, and gives the bytes.
func (c *compiler) encode() (int, error) {
	size := 0
	for _, resources := range c.resources {
		for _, resource := range resources.Contents() {
			text, err := protojson.Marshal(resource)
			if err != nil {
				return 0, err
			}
			size += len(text)
		}
	}
	return size, nil
}

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: contour MANIFESTS.jsonl")
	}
	manifests, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	c := newCompiler()
	began := time.Now()
	proxy, err := c.load(manifests)
	if err != nil {
		log.Fatal(err)
	}
	c.compile()
	rebuilt := milliseconds(began)
	size, err := c.encode()
	if err != nil {
		log.Fatal(err)
	}
	whole := milliseconds(began)

	var times []float64
	for i := range changes {
		edited := proxy.DeepCopy()
		edited.Generation++
		edited.Spec.Routes[1].TimeoutPolicy = &contour_v1.TimeoutPolicy{Response: fmt.Sprintf("%ds", 20+i)}
		began := time.Now()
		c.builder.Source.Insert(edited)
		c.compile()
		times = append(times, milliseconds(began))
	}
	slices.Sort(times)
	fmt.Printf(
		"{\"without_json_ms\":%.1f,\"whole_ms\":%.1f,\"route_change_ms\":%.2f,\"json_bytes\":%d}\n",
		rebuilt, whole, times[len(times)/2], size,
	)
}
