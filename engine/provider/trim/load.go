package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	providerFile = "provider.go"  // declares Provider() with the maps of resources
	clientType   = "AliyunClient" // has a field, and methods, for each service's client
)

type names map[string]bool

// declaration is a top-level declaration: the bytes [start, end) of its file, and the identifiers it mentions.
type declaration struct {
	start, end int
	mentions   names
	method     string       // its name, if it is a method
	fields     []*ast.Field // of the client type, which are kept one by one
	kept       bool
}

// sourceFile is a file of a package under trimming.
type sourceFile struct {
	name         string
	text         []byte
	syntax       *ast.File
	declarations []*declaration
}

// goPackage is a package under trimming, with indexes over the declarations of all its files.
type goPackage struct {
	positions *token.FileSet
	files     []*sourceFile
	named     map[string][]*declaration // by package-level name
	methods   map[string][]*declaration // by name of the receiver's type
	inits     []*declaration
}

// load reads the package in dir. With wanted, Provider() is first cut down to those resources.
func load(dir string, wanted names) (*goPackage, error) {
	p := &goPackage{
		positions: token.NewFileSet(), named: map[string][]*declaration{}, methods: map[string][]*declaration{},
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no Go files in %s: has the upstream module been laid out anew?", dir)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if wanted != nil && filepath.Base(path) == providerFile {
			if text, err = dropResources(text, wanted); err != nil {
				return nil, err
			}
		}
		if err := p.add(filepath.Base(path), text); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *goPackage) add(name string, text []byte) error {
	syntax, err := parser.ParseFile(p.positions, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	file := &sourceFile{name: name, text: text, syntax: syntax}
	p.files = append(p.files, file)
	for _, decl := range syntax.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			file.declarations = append(file.declarations, p.indexFunction(d))
		case *ast.GenDecl:
			if d.Tok != token.IMPORT {
				file.declarations = append(file.declarations, p.indexGroup(d))
			}
		}
	}
	return nil
}

func (p *goPackage) offset(pos token.Pos) int { return p.positions.Position(pos).Offset }

func (p *goPackage) indexFunction(f *ast.FuncDecl) *declaration {
	d := &declaration{start: p.offset(f.Pos()), end: p.offset(f.End()), mentions: identifiers(f)}
	switch {
	case f.Recv != nil:
		d.method = f.Name.Name
		receiver := receiverType(f.Recv.List[0].Type)
		p.methods[receiver] = append(p.methods[receiver], d)
	case f.Name.Name == "init":
		p.inits = append(p.inits, d)
	default:
		p.named[f.Name.Name] = append(p.named[f.Name.Name], d)
	}
	return d
}

// indexGroup indexes a type, var or const declaration. A group stays whole, since its constants may count with iota.
func (p *goPackage) indexGroup(group *ast.GenDecl) *declaration {
	d := &declaration{start: p.offset(group.Pos()), end: p.offset(group.End())}
	for _, spec := range group.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			p.named[s.Name.Name] = append(p.named[s.Name.Name], d)
			if structure, ok := s.Type.(*ast.StructType); ok && s.Name.Name == clientType {
				d.fields = structure.Fields.List
			}
		case *ast.ValueSpec:
			for _, id := range s.Names {
				p.named[id.Name] = append(p.named[id.Name], d)
			}
		}
	}
	if d.fields == nil {
		d.mentions = identifiers(group)
	}
	return d
}

// dropResources removes the entries of Provider()'s maps that are not wanted: other resources, and all data sources.
func dropResources(text []byte, wanted names) ([]byte, error) {
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, providerFile, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var (
		out     bytes.Buffer
		at      int
		problem error
		missing = maps.Clone(wanted)
	)
	ast.Inspect(file, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		field, ok := pair.Key.(*ast.Ident)
		if !ok || (field.Name != "ResourcesMap" && field.Name != "DataSourcesMap") {
			return true
		}
		entries, ok := pair.Value.(*ast.CompositeLit)
		if !ok {
			problem = fmt.Errorf("%s: %s is not a literal map", providerFile, field.Name)
			return false
		}
		for _, element := range entries.Elts {
			name, err := entryName(element)
			if err != nil {
				problem = errors.Join(problem, err)
				continue
			}
			if field.Name == "ResourcesMap" && wanted[name] {
				delete(missing, name)
				continue
			}
			out.Write(text[at:positions.Position(element.Pos()).Offset])
			at = afterComma(text, positions.Position(element.End()).Offset)
		}
		return false
	})
	if len(missing) > 0 {
		problem = errors.Join(problem,
			fmt.Errorf("not in the upstream provider: %s", strings.Join(slices.Sorted(maps.Keys(missing)), ", ")))
	}
	out.Write(text[at:])
	return out.Bytes(), problem
}

// afterComma returns the offset behind the comma that follows an entry; the last entry of a line may have none.
func afterComma(text []byte, end int) int {
	rest := bytes.TrimLeft(text[end:], " \t\n")
	if bytes.HasPrefix(rest, []byte(",")) {
		return len(text) - len(rest) + 1
	}
	return end
}

// entryName returns the key of an entry `"alicloud_vpc": resource(),`.
func entryName(element ast.Expr) (string, error) {
	if entry, ok := element.(*ast.KeyValueExpr); ok {
		if key, ok := entry.Key.(*ast.BasicLit); ok {
			return strconv.Unquote(key.Value)
		}
	}
	return "", fmt.Errorf("%s: an entry of a resource map has no literal name", providerFile)
}

func identifiers(n ast.Node) names {
	found := names{}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			found[id.Name] = true
		}
		return true
	})
	return found
}

func receiverType(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.StarExpr:
		return receiverType(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}
