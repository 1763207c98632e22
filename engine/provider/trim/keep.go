package main

import (
	"go/ast"
	"maps"
	"strings"
)

// keep marks every declaration that can be reached from the given names, drops the client's fields that nothing
// mentions, and returns all names that kept code mentions.
func (p *goPackage) keep(roots names) names {
	mentioned := maps.Clone(roots)
	for p.keepReachable(mentioned) {
	}
	for _, file := range p.files {
		for _, d := range file.declarations {
			for _, field := range d.fields {
				if !anyName(field, mentioned) {
					blank(file.text[p.offset(field.Pos()):p.offset(field.End())])
				}
			}
		}
	}
	return mentioned
}

// keepReachable goes one step: it keeps what is mentioned, and adds what that mentions. It tells whether anything was
// new.
func (p *goPackage) keepReachable(mentioned names) bool {
	size, marked := len(mentioned), false
	mark := func(declarations []*declaration) {
		for _, d := range declarations {
			marked = marked || !d.kept
			d.kept = true
			maps.Copy(mentioned, d.mentions)
			for _, field := range d.fields {
				if anyName(field, mentioned) {
					maps.Copy(mentioned, identifiers(field.Type))
				}
			}
		}
	}
	mark(p.inits)
	for name, declarations := range p.named {
		if mentioned[name] {
			mark(declarations)
		}
	}
	for receiver, methods := range p.methods {
		if !mentioned[receiver] {
			continue
		}
		for _, method := range methods {
			if mentioned[method.method] || !collectsCalls(receiver) {
				mark([]*declaration{method})
			}
		}
	}
	return marked || len(mentioned) > size
}

// collectsCalls tells whether a type is one of those that gather a service's API calls: their methods are kept one by
// one. Any other type keeps all its methods, since another package may call them through an interface.
func collectsCalls(typeName string) bool {
	return typeName == clientType || strings.HasSuffix(typeName, "Service") || strings.HasSuffix(typeName, "ServiceV2")
}

func anyName(field *ast.Field, mentioned names) bool {
	for _, id := range field.Names {
		if mentioned[id.Name] {
			return true
		}
	}
	return false
}

// blank overwrites text in place, so that the offsets of everything else stay true.
func blank(text []byte) {
	for i := range text {
		text[i] = ' '
	}
}
