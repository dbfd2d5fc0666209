// The scheduler and the kubelet of a cluster of one node without containers, for the conformance suite of the Gateway API. A pod
// is a network namespace on the bridge br0 in which the echo server runs; controllers of Kubernetes do the rest.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"path/filepath"
	"runtime"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const nodeName = "node"

// The main thread keeps the namespace that the program was started in: pods enter theirs on threads of their own.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) == 2 && os.Args[1] == "dns" {
		serveDNS()
		return
	}
	kubeconfig := flag.String("kubeconfig", "", "of the cluster")
	echo := flag.String("echo", "", "program that stands for the image echo-basic")
	folder := flag.String("folder", "", "for volumes of pods")
	address := flag.String("address", "", "of the node, on the pods' bridge")
	flag.Parse()
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	must(err)
	config.QPS, config.Burst = 200, 400
	client := kubernetes.NewForConfigOrDie(config)
	self, err := os.Executable()
	must(err)
	node := newNode(client, *address, *folder, map[string][]string{
		"echo-basic": {*echo},
		"coredns":    {self, "dns"},
	})
	must(node.serveLogs())
	must(node.register(context.Background()))
	factory := informers.NewSharedInformerFactory(client, 0)
	_, err = factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { node.see(object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { node.see(object.(*corev1.Pod)) },
		DeleteFunc: func(object any) {
			if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = last.Obj
			}
			node.forget(object.(*corev1.Pod))
		},
	})
	must(err)
	factory.Start(context.Background().Done())
	select {}
}

func must(err error) {
	if err != nil {
		log.Fatalf("%s: %v", filepath.Base(os.Args[0]), err)
	}
}

// register makes the node that pods are bound to, ready and without taints.
func (n *node) register(ctx context.Context) error {
	nodes := n.client.CoreV1().Nodes()
	made, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Spec.Taints = nil
	if made, err = nodes.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	now := metav1.Now()
	made.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: n.address}}
	made.Status.DaemonEndpoints.KubeletEndpoint.Port = kubeletPort
	made.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: now, LastTransitionTime: now,
	}}
	_, err = nodes.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}
