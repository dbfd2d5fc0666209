package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const kubeletPort = 10250

// node has the pods of the cluster.
type node struct {
	client          kubernetes.Interface
	address, folder string
	images          map[string][]string // last part of an image's name without its tag -> program
	mu              sync.Mutex
	pods            map[types.UID]*pod
	logs            map[string]*podLog // <namespace>/<pod>/<container>
	made            int
}

func newNode(client kubernetes.Interface, address, folder string, images map[string][]string) *node {
	return &node{client: client, address: address, folder: folder, images: images, pods: map[types.UID]*pod{}, logs: map[string]*podLog{}}
}

// see starts a pod that is new, and ends one that is being deleted.
func (n *node) see(object *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := n.pods[object.UID]
	if object.DeletionTimestamp != nil {
		go n.remove(object, known)
		return
	}
	if known != nil {
		return
	}
	n.made++
	ctx, cancel := context.WithCancel(context.Background())
	made := &pod{
		node: n, object: object.DeepCopy(), ip: podAddress(n.address, n.made), device: fmt.Sprintf("pod%d", n.made),
		stop: cancel, ended: make(chan struct{}),
	}
	n.pods[object.UID] = made
	go made.live(ctx)
}

// podAddress is the address of the n-th pod beside the node's own in its /16.
func podAddress(node string, n int) string {
	ip := net.ParseIP(node).To4()
	return net.IPv4(ip[0], ip[1], byte(1+n/250), byte(1+n%250)).String()
}

func (n *node) forget(object *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if known := n.pods[object.UID]; known != nil {
		known.stop()
		delete(n.pods, object.UID)
	}
}

// remove ends a pod that is being deleted, and then has the API server drop it.
func (n *node) remove(object *corev1.Pod, known *pod) {
	if known != nil {
		known.stop()
		<-known.ended
	}
	n.drop(object)
}

func (n *node) logOf(id string) *podLog {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.logs[id] == nil {
		n.logs[id] = &podLog{}
	}
	return n.logs[id]
}

// podLog holds the lines that a container has written.
type podLog struct {
	mu    sync.Mutex
	at    []time.Time
	lines []string
}

func (l *podLog) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at, l.lines = append(l.at, time.Now()), append(l.lines, line)
}

func (l *podLog) since(start time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var text strings.Builder
	for i, line := range l.lines {
		if !l.at[i].Before(start) {
			text.WriteString(line + "\n")
		}
	}
	return text.String()
}

// serveLogs answers what kube-apiserver asks a kubelet for the logs of a pod.
func (n *node) serveLogs() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}
	listener, err := tls.Listen("tcp", fmt.Sprintf("%s:%d", n.address, kubeletPort), config)
	if err != nil {
		return err
	}
	handler := http.NewServeMux()
	handler.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		start, _ := time.Parse(time.RFC3339, r.URL.Query().Get("sinceTime"))
		fmt.Fprint(w, n.logOf(strings.TrimPrefix(r.URL.Path, "/containerLogs/")).since(start))
	})
	go http.Serve(listener, handler)
	return nil
}
