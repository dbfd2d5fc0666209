// Command http3 sends one request over HTTP/3, and prints the answer as JSON.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

type answer struct {
	Status      int               `json:"status"`
	Protocol    string            `json:"protocol"`
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body"`
	Certificate string            `json:"certificate"`
}

func main() {
	address := flag.String("address", "", "the UDP address that is connected to")
	sni := flag.String("sni", "", "the server name")
	host := flag.String("host", "", "the host of the request; default: the server name")
	path := flag.String("path", "/", "the path of the request")
	count := flag.Int("count", 1, "the number of requests on one connection, 10 ms apart")
	body := flag.Int("body", 0, "the bytes of a POST; 0: a GET")
	flag.Parse()
	transport := &http3.Transport{
		// The certificates of tests have no authority.
		TLSClientConfig: &tls.Config{ServerName: *sni, InsecureSkipVerify: true},
		Dial: func(ctx context.Context, _ string, conf *tls.Config, quicConf *quic.Config) (*quic.Conn, error) {
			return quic.DialAddr(ctx, *address, conf, quicConf)
		},
	}
	client := &http.Client{
		Transport:     transport,
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if *host == "" {
		*host = *sni
	}
	answers := []answer{}
	for i := 0; i < *count; i++ {
		got, err := ask(client, *host, *path, *body)
		if err != nil {
			answers = append(answers, answer{Body: err.Error()})
		} else {
			answers = append(answers, got)
		}
		if *count > 1 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	transport.Close()
	json.NewEncoder(os.Stdout).Encode(answers)
}

func ask(client *http.Client, host string, path string, size int) (answer, error) {
	method, content := http.MethodGet, io.Reader(nil)
	if size > 0 {
		method, content = http.MethodPost, bytes.NewReader(make([]byte, size))
	}
	request, err := http.NewRequest(method, "https://"+host+path, content)
	if err != nil {
		return answer{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	got := answer{Status: response.StatusCode, Protocol: response.Proto, Headers: map[string]string{}, Body: string(text)}
	for name := range response.Header {
		got.Headers[http.CanonicalHeaderKey(name)] = response.Header.Get(name)
	}
	if response.TLS != nil && len(response.TLS.PeerCertificates) > 0 {
		leaf := response.TLS.PeerCertificates[0]
		got.Certificate = leaf.Subject.CommonName
		if len(leaf.DNSNames) > 0 {
			got.Certificate = leaf.DNSNames[0]
		}
	}
	return got, nil
}
