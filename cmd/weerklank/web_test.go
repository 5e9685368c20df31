package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// In the demo the library is a command away: the bot sends the editor a link in private, and nobody else gets one.
func TestDemoLibraryOnTheWeb(t *testing.T) {
	base, stop := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0", "--data", t.TempDir())
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	do := func(path string, values url.Values) (int, string) {
		t.Helper()
		resp, err := client.PostForm(base+path, values)
		if values == nil {
			resp, err = client.Get(base + path)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(raw)
	}
	link := regexp.MustCompile(`<a href="` + regexp.QuoteMeta(base) + `/library/in#([A-Z2-7]+)"`)
	ask := func(person string) []string {
		t.Helper()
		do("/act", url.Values{"person": {person}, "place": {"bot"}})
		_, page := do("/say", url.Values{"place": {"bot"}, "text": {"/weerklank bibliotheek"}})
		return link.FindStringSubmatch(page)
	}
	if ask("fatima") != nil || ask("irma") != nil {
		t.Error("somebody who is no editor got a link")
	}
	found := ask("hanna")
	if found == nil {
		t.Fatal("the editor got no link")
	}
	if status, _ := do("/library/", nil); status != http.StatusUnauthorized {
		t.Errorf("without signing in: %d", status)
	}
	if status, page := do("/library/in", url.Values{"code": {found[1]}}); status != http.StatusOK || !strings.Contains(page, "Vragen in de bibliotheek") {
		t.Fatalf("%d", status)
	}
	if status, page := do("/library/coverage", nil); status != http.StatusOK || !strings.Contains(page, "Actieve dilemma") {
		t.Errorf("%d", status)
	}
	if status, page := do("/c/buitendienst", nil); status != http.StatusOK || strings.Contains(page, "/library/") {
		t.Errorf("the channel: %d", status)
	}
	if code := stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// The library is on the web where a proxy with TLS leads people to the program, or on the machine itself, and somebody may edit it; else it is not.
func TestLibraryIsOffUnlessConfigured(t *testing.T) {
	for name, x := range map[string]struct {
		lines, editors string
		want           int
	}{
		"no address":     {"", `"workspace:hanna"`, http.StatusNotFound},
		"an open http":   {"public_url = \"http://bot.example.org\"\n", `"workspace:hanna"`, http.StatusNotFound},
		"no editor":      {"public_url = \"https://bot.example.org\"\n", "", http.StatusNotFound},
		"this machine":   {"public_url = \"http://127.0.0.1:8482\"\n", `"workspace:hanna"`, http.StatusOK},
		"behind a proxy": {"public_url = \"https://bot.example.org\"\n", `"workspace:hanna"`, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			listen := free(t)
			text := "data_dir = \"" + dir + "/data\"\n[workspace]\nenabled = true\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"" + listen + "\"\n" + x.lines + "[rights]\neditors = [" + x.editors + "]\n"
			file := filepath.Join(dir, "weerklank.toml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			base, _ := startProgram(t, "Weerklank", "run", "--config", file)
			for _, at := range []struct {
				url  string
				want int
			}{{"http://" + listen, x.want}, {base, http.StatusNotFound}} {
				resp, err := http.Get(at.url + "/library/in")
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != at.want {
					t.Errorf("%s: %d, want %d", at.url, resp.StatusCode, at.want)
				}
			}
		})
	}
}
