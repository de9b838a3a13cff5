package mailparts_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestDocumented wants a comment on every package, every exported name and every
// block of exported fields.
func TestDocumented(t *testing.T) {
	for _, p := range packages(t) {
		comments, code := 0, 0
		for _, f := range p.files {
			if f.isTest() {
				continue
			}
			code++
			if f.Doc != nil {
				comments++
			}
			for _, d := range f.Decls {
				for _, missing := range undocumented(f, d) {
					t.Errorf("%s: %s has no comment", f.set.Position(missing.Pos()), missing.Name)
				}
			}
		}
		if code > 0 && comments != 1 {
			t.Errorf("package %s has %d package comments, want one", p.name, comments)
		}
	}
}

// undocumented returns the exported names of d that have no comment, neither
// their own nor their group's.
func undocumented(f file, d ast.Decl) (names []*ast.Ident) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					if d.Doc == nil && s.Doc == nil {
						names = append(names, s.Name)
					}
					names = append(names, undocumentedFields(f, s)...)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, n)
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver reports whether d is no method, or one of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return true
		}
	}
}

// undocumentedFields returns the exported fields of a struct that have neither
// a comment nor a neighbour with one in their block: lines without an empty one
// between. The struct's own comment speaks for its first block.
func undocumentedFields(f file, s *ast.TypeSpec) (names []*ast.Ident) {
	st, ok := s.Type.(*ast.StructType)
	if !ok {
		return nil
	}
	line := func(p token.Pos) int { return f.set.Position(p).Line }
	var block []*ast.Ident
	documented, first, last := false, true, 0
	end := func() {
		if !documented && !first {
			names = append(names, block...)
		}
		block, documented = nil, false
	}
	for _, field := range st.Fields.List {
		start := line(field.Pos())
		if field.Doc != nil {
			start = line(field.Doc.Pos())
		}
		if last != 0 && start > last+1 {
			end()
			first = false
		}
		last = line(field.End())
		documented = documented || field.Doc != nil || field.Comment != nil
		for _, n := range field.Names {
			if n.IsExported() {
				block = append(block, n)
			}
		}
	}
	end()
	return names
}

// TestDocumentedFinds keeps the test itself honest.
func TestDocumentedFinds(t *testing.T) {
	f := parse(t, `package p
type T struct{ A int }
// U has a comment.
type U struct {
	A int

	B, C int

	D int // has one
	E int
	f int
}
func F() {}
func (T) M() {}
func (t *T) n() {}
func (u) M() {}
const A = 1
const (
	B = 1 // has one
	C = 2
)
// A group.
var (
	D int
	E int
)
`)
	var got []string
	for _, d := range f.Decls {
		for _, n := range undocumented(f, d) {
			got = append(got, n.Name)
		}
	}
	if got, want := strings.Join(got, " "), "T B C F M A C"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func parse(t *testing.T, src string) file {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "p.go", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return file{f, "p.go", []byte(src), set}
}
