package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"golang.org/x/sys/unix"
)

// pod is one pod of the node: a network namespace with an address, and the programs of its containers.
type pod struct {
	node       *node
	object     *corev1.Pod
	ip, device string
	stop       context.CancelFunc
	ended      chan struct{}
}

func (p *pod) name() string { return p.object.Namespace + "/" + p.object.Name }

// live is the life of a pod, on a thread of its own: the thread has the pod's network namespace, and so have the programs that
// it starts. They end with the thread, and the namespace with them.
func (p *pod) live(ctx context.Context) {
	runtime.LockOSThread()
	defer close(p.ended)
	if err := p.bind(ctx); err != nil {
		log.Printf("%s: bind: %v", p.name(), err)
		return
	}
	volumes, ok := p.mount(ctx)
	if !ok {
		return
	}
	if err := p.network(); err != nil {
		log.Printf("%s: network: %v", p.name(), err)
		return
	}
	ended := make(chan *corev1.Container, len(p.object.Spec.Containers))
	for i := range p.object.Spec.Containers {
		p.start(&p.object.Spec.Containers[i], volumes, ended)
	}
	go p.report(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case container := <-ended:
			if !pause(ctx, time.Second) {
				return
			}
			p.start(container, volumes, ended)
		}
	}
}

func (p *pod) bind(ctx context.Context) error {
	if p.object.Spec.NodeName != "" {
		return nil
	}
	meta := metav1.ObjectMeta{Name: p.object.Name, UID: p.object.UID}
	binding := &corev1.Binding{ObjectMeta: meta, Target: corev1.ObjectReference{Kind: "Node", Name: nodeName}}
	return p.node.client.CoreV1().Pods(p.object.Namespace).Bind(ctx, binding, metav1.CreateOptions{})
}

// network gives this thread a namespace with an interface on the bridge.
func (p *pod) network() error {
	outer := os.Getpid()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	gateway := p.node.address
	inner := fmt.Sprintf("link set lo up\nlink add eth0 type veth peer name %s netns %d\naddr add %s/16 dev eth0\nlink set eth0 up\nroute add default via %s\n",
		p.device, outer, p.ip, gateway)
	if err := ip(inner); err != nil {
		return err
	}
	done := make(chan error)
	go func() { done <- ip(fmt.Sprintf("link set %s master br0 up\n", p.device)) }()
	return <-done
}

func ip(batch string) error {
	command := exec.Command("ip", "-batch", "-")
	command.Stdin = strings.NewReader(batch)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// start runs the program of a container; it is to be called on the pod's thread. A container whose image nothing stands for waits.
func (p *pod) start(container *corev1.Container, volumes map[string]string, ended chan<- *corev1.Container) {
	program, ok := p.node.images[imageName(container.Image)]
	if !ok {
		log.Printf("%s: nothing stands for the image %s", p.name(), container.Image)
		return
	}
	output := p.node.logOf(p.name() + "/" + container.Name)
	command := exec.Command(program[0], program[1:]...)
	command.Env = append(os.Environ(), p.environment(container, volumes)...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	reader, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		log.Printf("%s: %v", p.name(), err)
		return
	}
	go func() {
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			output.add(lines.Text())
		}
	}()
	go func() {
		err := command.Wait()
		writer.Close()
		log.Printf("%s/%s ended: %v", p.name(), container.Name, err)
		ended <- container
	}()
}

func imageName(image string) string {
	name, _, _ := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return name
}

func (p *pod) environment(container *corev1.Container, volumes map[string]string) []string {
	var all []string
	for _, entry := range container.Env {
		value := entry.Value
		for _, mount := range container.VolumeMounts {
			if rest, ok := strings.CutPrefix(value, mount.MountPath+"/"); ok {
				value = filepath.Join(volumes[mount.Name], rest)
			}
		}
		if from := entry.ValueFrom; from != nil && from.FieldRef != nil {
			value = map[string]string{
				"metadata.name": p.object.Name, "metadata.namespace": p.object.Namespace, "status.podIP": p.ip, "spec.nodeName": nodeName,
			}[from.FieldRef.FieldPath]
		}
		all = append(all, entry.Name+"="+value)
	}
	return all
}

// report says that the pod is ready once its servers answer.
func (p *pod) report(ctx context.Context) {
	for _, container := range p.object.Spec.Containers {
		if _, ok := p.node.images[imageName(container.Image)]; !ok {
			return
		}
		for port := tcpPort(&container); port != ""; {
			connection, err := net.DialTimeout("tcp", net.JoinHostPort(p.ip, port), time.Second)
			if err == nil {
				connection.Close()
				break
			}
			if !pause(ctx, 20*time.Millisecond) {
				return
			}
		}
	}
	for {
		if err := p.ready(ctx); err == nil || !pause(ctx, 100*time.Millisecond) {
			return
		}
	}
}

// tcpPort is a port that a server of a container listens on; empty for one of UDP alone.
func tcpPort(container *corev1.Container) string {
	if imageName(container.Image) == "coredns" {
		return ""
	}
	values := map[string]string{}
	for _, entry := range container.Env {
		values[entry.Name] = entry.Value
	}
	switch {
	case values["UDP_ECHO_SERVER"] != "":
		return ""
	case values["TCP_ECHO_SERVER"] != "" && values["TCP_PORT"] != "":
		return values["TCP_PORT"]
	case values["HTTP_PORT"] != "":
		return values["HTTP_PORT"]
	}
	return "3000"
}

func (p *pod) ready(ctx context.Context) error {
	now, yes := metav1.Now(), true
	status := corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: p.ip, PodIPs: []corev1.PodIP{{IP: p.ip}}, HostIP: p.node.address,
		HostIPs: []corev1.HostIP{{IP: p.node.address}}, StartTime: &now,
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	for _, container := range p.object.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, ImageID: container.Image, Ready: true, Started: &yes,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.object.UID}, "status": status})
	if err != nil {
		return err
	}
	_, err = p.node.client.CoreV1().Pods(p.object.Namespace).Patch(ctx, p.object.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

func (n *node) drop(object *corev1.Pod) {
	now := int64(0)
	err := n.client.CoreV1().Pods(object.Namespace).Delete(context.Background(), object.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &object.UID},
	})
	if err != nil {
		log.Printf("%s/%s: delete: %v", object.Namespace, object.Name, err)
	}
}

// pause waits; it returns false when the pod ends meanwhile.
func pause(ctx context.Context, length time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(length):
		return true
	}
}
