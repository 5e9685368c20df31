package prompts

import "testing"

func TestBuiltinLintsClean(t *testing.T) {
	lib, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if err := lib.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(lib.Prompts) < 30 || len(lib.Tensions) != 5 || len(lib.Values) != 6 || len(lib.Audiences) != 10 {
		t.Fatalf("%d prompts, %d tensions, %d values, %d audiences", len(lib.Prompts), len(lib.Tensions), len(lib.Values), len(lib.Audiences))
	}
	for _, f := range Lint(lib) {
		if f.Level == Error {
			t.Error(f)
		} else {
			t.Log(f)
		}
	}
}
