package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// write writes the kept declarations, file by file, and says how much that is.
func (p *goPackage) write(out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	files, kept, total := 0, 0, 0
	for _, file := range p.files {
		total += len(file.text)
		text, err := file.render()
		if err != nil {
			return err
		}
		if text == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(out, file.name), text, 0o644); err != nil {
			return err
		}
		files, kept = files+1, kept+len(text)
	}
	_, err := fmt.Printf("trim: %s: %d of %d files, %d of %d kB\n",
		filepath.Base(out), files, len(p.files), kept/1000, total/1000)
	return err
}

// render returns the kept declarations under the imports that they still need; nil if there are none.
func (f *sourceFile) render() ([]byte, error) {
	var body bytes.Buffer
	for _, d := range f.declarations {
		if d.kept {
			fmt.Fprintf(&body, "\n%s\n", f.text[d.start:d.end])
		}
	}
	if body.Len() == 0 {
		return nil, nil
	}
	used, err := qualifiers(body.String())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "package %s\n\n", f.syntax.Name.Name)
	for _, imp := range f.syntax.Imports {
		path, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			return nil, err
		}
		switch {
		case imp.Name == nil && anyOf(packageNames(path), used):
			fmt.Fprintf(&head, "import %q\n", path)
		case imp.Name != nil && (imp.Name.Name == "_" || used[imp.Name.Name]):
			fmt.Fprintf(&head, "import %s %q\n", imp.Name.Name, path)
		}
	}
	return append(head.Bytes(), body.Bytes()...), nil
}

// qualifiers returns the names before a dot that are not local variables: those that may be packages.
func qualifiers(declarations string) (names, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+declarations, 0)
	if err != nil {
		return nil, err
	}
	found := names{}
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := selector.X.(*ast.Ident); ok && id.Obj == nil {
				found[id.Name] = true
			}
		}
		return true
	})
	return found, nil
}

var majorVersion = regexp.MustCompile(`^v\d+$`)

// packageNames returns the names that a package with this import path is likely to have; only its source knows it.
func packageNames(path string) []string {
	parts := strings.Split(path, "/")
	if len(parts) > 1 && majorVersion.MatchString(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	base, _, _ := strings.Cut(parts[len(parts)-1], ".") // yaml.v3
	return []string{
		base, strings.ReplaceAll(base, "-", "_"), strings.ReplaceAll(base, "-", ""),
		strings.TrimPrefix(base, "go-"), strings.TrimSuffix(base, "-go"), strings.TrimSuffix(base, "-go-sdk"),
	}
}

func anyOf(candidates []string, used names) bool {
	for _, name := range candidates {
		if used[name] {
			return true
		}
	}
	return false
}
