package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mount writes the volumes of a pod, as soon as what they are made of is there, and returns the folder of each by its name.
func (p *pod) mount(ctx context.Context) (map[string]string, bool) {
	folders := map[string]string{}
	for _, volume := range p.object.Spec.Volumes {
		folder := filepath.Join(p.node.folder, string(p.object.UID), volume.Name)
		for told := false; ; told = true {
			err := p.write(ctx, volume, folder)
			if err == nil {
				break
			}
			if !told {
				log.Printf("%s: volume %s: %v", p.name(), volume.Name, err)
			}
			if !pause(ctx, 200*time.Millisecond) {
				return nil, false
			}
		}
		folders[volume.Name] = folder
	}
	return folders, true
}

func (p *pod) write(ctx context.Context, volume corev1.Volume, folder string) error {
	content, items, err := p.contentOf(ctx, volume)
	if err != nil {
		return err
	}
	if items == nil {
		for key := range content {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, item := range items {
		value, ok := content[item.Key]
		if !ok {
			return fmt.Errorf("there is no key %s", item.Key)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(item.Path)), value, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (p *pod) contentOf(ctx context.Context, volume corev1.Volume) (map[string][]byte, []corev1.KeyToPath, error) {
	core := p.node.client.CoreV1()
	switch {
	case volume.Secret != nil:
		secret, err := core.Secrets(p.object.Namespace).Get(ctx, volume.Secret.SecretName, metav1.GetOptions{})
		if err != nil {
			return nil, nil, err
		}
		return secret.Data, volume.Secret.Items, nil
	case volume.ConfigMap != nil:
		config, err := core.ConfigMaps(p.object.Namespace).Get(ctx, volume.ConfigMap.Name, metav1.GetOptions{})
		if err != nil {
			return nil, nil, err
		}
		content := map[string][]byte{}
		for key, value := range config.Data {
			content[key] = []byte(value)
		}
		return content, volume.ConfigMap.Items, nil
	case volume.EmptyDir != nil:
		return nil, nil, nil
	}
	return nil, nil, fmt.Errorf("a kind of volume that is not supported")
}
