// Command peers measures the HTTP gateway of go-control-plane: the CPU time of one poll that gets nothing new, and of
// one that gets a thousand clusters. It prints one line of JSON.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/protobuf/types/known/durationpb"
)

const polls = 1000

func clusters(count int) []types.Resource {
	all := make([]types.Resource, count)
	for i := range all {
		all[i] = &cluster.Cluster{
			Name:                 fmt.Sprintf("team-%d/app-%d/80/0123456789abcdef", i%20, i),
			AltStatName:          fmt.Sprintf("team-%d_app-%d_80", i%20, i),
			ConnectTimeout:       durationpb.New(2 * time.Second),
			ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_EDS},
			EdsClusterConfig: &cluster.Cluster_EdsClusterConfig{
				ServiceName: fmt.Sprintf("team-%d/app-%d/80", i%20, i),
				EdsConfig: &core.ConfigSource{
					ResourceApiVersion: core.ApiVersion_V3,
					ConfigSourceSpecifier: &core.ConfigSource_ApiConfigSource{ApiConfigSource: &core.ApiConfigSource{
						ApiType:             core.ApiConfigSource_REST,
						TransportApiVersion: core.ApiVersion_V3,
						ClusterNames:        []string{"isoline"},
						RefreshDelay:        durationpb.New(100 * time.Millisecond),
					}},
				},
			},
		}
	}
	return all
}

// poll asks once and fails on any other status than the one expected.
func poll(gateway *server.HTTPGateway, body []byte, zipped bool, want int) []byte {
	request := httptest.NewRequest(http.MethodPost, "/v3/discovery:clusters", bytes.NewReader(body))
	if zipped {
		// The gateway does not unpack: a server before it would.
		reader, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		request = httptest.NewRequest(http.MethodPost, "/v3/discovery:clusters", reader)
	}
	answer, status, err := gateway.ServeHTTP(request)
	if status != want {
		log.Fatalf("status %d: %v", status, err)
	}
	return answer
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func milliseconds(work func()) float64 {
	for range polls / 4 {
		work()
	}
	start := cpu()
	for range polls {
		work()
	}
	return float64((cpu() - start).Microseconds()) / 1000 / polls
}

// serve answers polls on a free port of 127.0.0.1, which it prints.
func serve(gateway *server.HTTPGateway) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, status, err := gateway.ServeHTTP(r)
		if err != nil && status == 0 {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		if _, err := w.Write(answer); err != nil && status == http.StatusOK {
			log.Print(err)
		}
	})))
}

func pack(text []byte) []byte {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(text); err != nil {
		log.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		log.Fatal(err)
	}
	return packed.Bytes()
}

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		log.Fatal("usage: peers BODY.json [serve]")
	}
	body, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var asked struct {
		Node struct {
			ID string `json:"id"`
		} `json:"node"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	snapshots := cache.NewSnapshotCache(false, cache.IDHash{}, nil)
	snapshot, err := cache.NewSnapshot("1", map[resource.Type][]types.Resource{resource.ClusterType: clusters(1000)})
	if err != nil {
		log.Fatal(err)
	}
	if err := snapshots.SetSnapshot(ctx, asked.Node.ID, snapshot); err != nil {
		log.Fatal(err)
	}
	gateway := &server.HTTPGateway{Server: server.NewServer(ctx, snapshots, nil)}
	if len(os.Args) == 3 {
		serve(gateway)
	}
	current := []byte(strings.Replace(string(body), "{", `{"version_info":"1",`, 1))
	packed := pack(current)
	answer := poll(gateway, body, false, http.StatusOK)
	figures := map[string]any{
		"unchanged_poll_cpu_ms":      milliseconds(func() { poll(gateway, current, false, http.StatusNotModified) }),
		"unchanged_gzip_poll_cpu_ms": milliseconds(func() { poll(gateway, packed, true, http.StatusNotModified) }),
		"full_answer_cpu_ms":         milliseconds(func() { poll(gateway, body, false, http.StatusOK) }),
		"answer_bytes":               len(answer),
	}
	if err := json.NewEncoder(os.Stdout).Encode(figures); err != nil {
		log.Fatal(err)
	}
}
