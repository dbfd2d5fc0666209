// Dump writes the FileDescriptorSet of every v3 file of github.com/envoyproxy/go-control-plane/envoy, and of the files
// that those import, dependencies first, to the path given as its only argument.
package main

//go:generate sh imports.sh

import (
	"fmt"
	"os"
	"sort"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dump OUT")
		os.Exit(2)
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(descriptors())
	if err == nil {
		err = os.WriteFile(os.Args[1], data, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// descriptors lists the registered files in a stable order in which a file comes after all that it imports.
func descriptors() *descriptorpb.FileDescriptorSet {
	files := map[string]protoreflect.FileDescriptor{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		files[file.Path()] = file
		return true
	})
	paths := make([]string, 0, len(files))
	for path := range files {
		paths = append(paths, path)
	}
	sort.Strings(paths)

	set, seen := &descriptorpb.FileDescriptorSet{}, map[string]bool{}
	var visit func(path string)
	visit = func(path string) {
		file, known := files[path]
		if seen[path] || !known {
			return
		}
		seen[path] = true
		for i := range file.Imports().Len() {
			visit(file.Imports().Get(i).Path())
		}
		set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
	}
	for _, path := range paths {
		visit(path)
	}
	return set
}
