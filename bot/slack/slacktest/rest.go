package slacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type obj = map[string]any

// fail is an answer with ok:false.
type fail struct {
	code  string
	extra obj
}

func no(code string) *fail { return &fail{code: code} }

// detailed is a code with messages, as of invalid arguments and blocks.
func detailed(code string, messages ...string) *fail {
	return &fail{code, obj{"response_metadata": obj{"messages": messages}}}
}

func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return `{"error":` + strconv.Quote(err.Error()) + `}`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func str(v any) string {
	t, _ := v.(string)
	return t
}

func sortBy[T any](list []T, less func(a, b T) bool) {
	slices.SortStableFunc(list, func(a, b T) int {
		switch {
		case less(a, b):
			return -1
		case less(b, a):
			return 1
		}
		return 0
	})
}

// token is a credential.
type token struct {
	value  string
	app    bool
	scopes []string
	state  string // the code of the answer, when it does not work any more
}

// call is a request to the Web API.
type call struct {
	method string
	token  *token
	args   obj // strings of a form, or what stood in the JSON
	header http.Header
}

func (c *call) str(name string) string {
	switch v := c.args[name].(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		return text(v)
	}
}

func (c *call) flag(name string) bool {
	switch v := c.args[name].(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "1"
	case float64:
		return v == 1
	}
	return false
}

func (c *call) number(name string) (n int, ok bool) {
	switch v := c.args[name].(type) {
	case float64:
		return int(v), true
	case string:
		n, err := strconv.Atoi(v)
		return n, err == nil
	}
	return 0, false
}

func (c *call) has(name string) bool { _, ok := c.args[name]; return ok }

// json is an argument that is JSON, in a form or in JSON.
func (c *call) json(name string) (v any, ok bool) {
	switch x := c.args[name].(type) {
	case nil:
		return nil, true
	case string:
		if x == "" {
			return nil, true
		}
		d := json.NewDecoder(strings.NewReader(x))
		err := d.Decode(&v)
		return v, err == nil && !d.More()
	default:
		return x, true
	}
}

// method is one of the Web API.
type method struct {
	do        func(*Server, *call) (obj, *fail)
	need, may string // arguments
	scopes    string // one of these, parted by |
	app       bool   // the app token, not the bot's
	json      bool   // takes JSON too
}

const messageArgs = " text blocks attachments thread_ts reply_broadcast metadata parse link_names unfurl_links unfurl_media mrkdwn username icon_url icon_emoji as_user markdown_text file_ids"

// methods is what the Web API has here. A method of the real one that is not here is unknown too: the bot has no business there.
func methods() map[string]method {
	return map[string]method{
		"api.test":                     {do: func(*Server, *call) (obj, *fail) { return obj{}, nil }, json: true},
		"auth.test":                    {do: authTest, json: true},
		"apps.connections.open":        {do: openConnection, app: true, json: true, scopes: "connections:write"},
		"users.info":                   {do: usersInfo, need: "user", may: "include_locale", scopes: "users:read"},
		"users.list":                   {do: usersList, may: "cursor limit include_locale team_id", scopes: "users:read"},
		"users.conversations":          {do: usersConversations, may: "user cursor limit types exclude_archived team_id"},
		"conversations.list":           {do: conversationsList, may: "cursor limit types exclude_archived team_id"},
		"conversations.info":           {do: conversationsInfo, need: "channel", may: "include_locale include_num_members"},
		"conversations.members":        {do: conversationsMembers, need: "channel", may: "cursor limit"},
		"conversations.history":        {do: conversationsHistory, need: "channel", may: "cursor limit latest oldest inclusive include_all_metadata"},
		"conversations.replies":        {do: conversationsReplies, need: "channel ts", may: "cursor limit latest oldest inclusive include_all_metadata"},
		"conversations.open":           {do: conversationsOpen, may: "channel users return_im prevent_creation", json: true},
		"chat.postMessage":             {do: postMessage, need: "channel", may: messageArgs, scopes: "chat:write", json: true},
		"chat.postEphemeral":           {do: postEphemeral, need: "channel user", may: messageArgs, scopes: "chat:write", json: true},
		"chat.update":                  {do: chatUpdate, need: "channel ts", may: messageArgs, scopes: "chat:write", json: true},
		"chat.delete":                  {do: chatDelete, need: "channel ts", may: "as_user", scopes: "chat:write", json: true},
		"chat.getPermalink":            {do: getPermalink, need: "channel message_ts"},
		"views.open":                   {do: viewsOpen, need: "view", may: "trigger_id interactivity_pointer", json: true},
		"views.push":                   {do: viewsPush, need: "view", may: "trigger_id interactivity_pointer", json: true},
		"views.update":                 {do: viewsUpdate, need: "view", may: "external_id hash view_id", json: true},
		"views.publish":                {do: viewsPublish, need: "user_id view", may: "hash", json: true},
		"files.getUploadURLExternal":   {do: getUploadURL, need: "filename length", may: "alt_txt snippet_type", scopes: "files:write"},
		"files.completeUploadExternal": {do: completeUpload, need: "files", may: "channel_id channels initial_comment thread_ts blocks", scopes: "files:write", json: true},
		"blocks.validate":              {do: blocksValidate, may: "blocks view message", json: true},
	}
}

func (s *Server) handler() http.Handler {
	all := methods()
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", func(w http.ResponseWriter, r *http.Request) { s.serveCall(w, r, all) })
	mux.HandleFunc("/link/", s.upgrade)
	mux.HandleFunc("/upload/{id}", s.serveUpload)
	mux.HandleFunc("/files/{id}/{name}", s.serveFile)
	mux.HandleFunc("/actions/{id}", s.serveReply)
	mux.HandleFunc("/commands/{id}", s.serveReply)
	return mux
}

// answer is what goes back to a client.
type answer struct {
	status int
	kind   string
	body   []byte
	header map[string]string
}

func jsonAnswer(v obj) answer {
	return answer{status: 200, kind: "application/json; charset=utf-8", body: []byte(text(v))}
}

// serve is a request with all that can go wrong with it. do is the execution; what it answers goes back unless a fault says else.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, in Request, do func() (answer, string)) {
	s.mu.Lock()
	s.calls++
	in.N = s.calls
	at := len(s.journal)
	s.note(Entry{Kind: KindRequest, Name: in.Method, Channel: in.Channel, Body: in.Args})
	for _, h := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if r.Header.Get(h) != "" {
			s.problem("%s has the header %s: a client repeats such a call by itself", in.Method, h)
		}
	}
	s.mu.Unlock()
	f := s.faultFor(in)
	s.waiting(f.Delay)
	var a answer
	var code string
	if !f.Lost {
		a, code = s.locked(do)
	}
	s.waiting(f.Late)
	if f.Code != "" {
		code = f.Code
		a = jsonAnswer(obj{"ok": false, "error": code})
	}
	if f.Status > 0 {
		a = answer{status: f.Status, kind: f.Type, body: []byte(f.Body), header: a.header}
		if a.kind == "" {
			a.kind = "application/json; charset=utf-8"
		}
		code = ""
	}
	status := a.status
	if f.Cut || f.Hang || f.Half {
		status = 0
	}
	s.mu.Lock()
	s.journal[at].Status, s.journal[at].Err = status, code
	date := s.said().UTC().Format(http.TimeFormat)
	s.touch()
	s.mu.Unlock()
	switch {
	case f.Hang:
		s.hangs(1)
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		s.hangs(-1)
		panic(http.ErrAbortHandler)
	case f.Cut:
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	h.Set("Date", date)
	h.Set("Content-Type", a.kind)
	h.Set("X-Slack-Req-Id", strings.ToLower(random(32)))
	for _, more := range []map[string]string{a.header, f.Header} {
		for k, v := range more {
			h.Set(k, v)
		}
	}
	if f.Half {
		h.Set("Content-Length", strconv.Itoa(len(a.body)+1))
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

func (s *Server) locked(do func() (answer, string)) (answer, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.touch()
	return do()
}

// serveCall is a call of the Web API.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request, all map[string]method) {
	s.enter()
	defer s.wg.Done()
	name := r.PathValue("method")
	if s.unread(name) {
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	m, known := all[name]
	args, tok, warning, bad := arguments(r, body, m.json || !known)
	in := Request{Method: name, Channel: str(args["channel"]), Args: text(args)}
	if in.Channel == "" {
		in.Channel = str(args["channel_id"])
	}
	s.serve(w, r, in, func() (answer, string) {
		c := &call{method: name, args: args, header: r.Header}
		out, e := s.execute(m, known, c, tok, bad)
		a := answer{}
		if e != nil {
			out = obj{}
			maps.Copy(out, e.extra)
			out["error"] = e.code
		}
		out["ok"] = e == nil
		if warning != "" {
			out["warning"] = warning
			meta, _ := out["response_metadata"].(obj)
			if meta == nil {
				meta = obj{}
			}
			meta["warnings"] = []string{warning}
			out["response_metadata"] = meta
		}
		a = jsonAnswer(out)
		a.header = map[string]string{}
		if c.token != nil {
			a.header["X-OAuth-Scopes"] = strings.Join(c.token.scopes, ",")
			if m.scopes != "" {
				a.header["X-Accepted-OAuth-Scopes"] = strings.ReplaceAll(m.scopes, "|", ",")
			}
		}
		if e == nil {
			return a, ""
		}
		if e.code == "ratelimited" {
			a.status, a.header["Retry-After"] = http.StatusTooManyRequests, "1"
		}
		return a, e.code
	})
}

// arguments are those of a request, and its token.
func arguments(r *http.Request, body []byte, takesJSON bool) (args obj, tok, warning string, bad *fail) {
	args = obj{}
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		tok = t
	}
	form := r.URL.Query()
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		return args, tok, "", no("invalid_post_type")
	case r.Method == http.MethodGet || len(body) == 0:
	case err != nil:
		return args, tok, "", no("missing_post_type")
	case kind == "application/json":
		if !takesJSON {
			break // it is not looked at
		}
		d := json.NewDecoder(bytes.NewReader(body))
		var v any
		if d.Decode(&v) != nil || d.More() {
			return args, tok, "", no("invalid_json")
		}
		j, ok := v.(obj)
		if !ok {
			return args, tok, "", no("json_not_object")
		}
		args = j
		if !strings.EqualFold(params["charset"], "utf-8") {
			warning = "missing_charset"
		}
		if args["token"] != nil { // a token in JSON is not one
			delete(args, "token")
		}
	case kind == "application/x-www-form-urlencoded":
		if params["charset"] != "" {
			warning = "superfluous_charset"
		}
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return args, tok, "", no("invalid_form_data")
		}
		maps.Copy(form, values)
	case kind == "multipart/form-data":
		r.Body = io.NopCloser(bytes.NewReader(body))
		if r.ParseMultipartForm(1<<20) != nil {
			return args, tok, "", no("invalid_form_data")
		}
		maps.Copy(form, r.MultipartForm.Value)
	default:
		return args, tok, "", no("invalid_post_type")
	}
	for k, v := range form {
		if k == "token" {
			if tok == "" {
				tok = v[0]
			}
			continue
		}
		if _, ok := args[k]; !ok {
			args[k] = v[0]
		}
	}
	return args, tok, warning, nil
}

// execute checks a call and does it.
func (s *Server) execute(m method, known bool, c *call, tok string, bad *fail) (obj, *fail) {
	if !known {
		return nil, &fail{"unknown_method", obj{"req_method": c.method}}
	}
	if bad != nil {
		return nil, bad
	}
	if c.method == "api.test" {
		return obj{"args": c.args}, nil
	}
	t := s.tokens[tok]
	switch {
	case tok == "":
		return nil, no("not_authed")
	case t == nil:
		return nil, no("invalid_auth")
	case t.state != "":
		return nil, no(t.state)
	}
	c.token = t
	if t.app != m.app {
		return nil, no("not_allowed_token_type")
	}
	if m.scopes != "" {
		if e := s.scoped(c, strings.Split(m.scopes, "|")...); e != nil {
			return nil, e
		}
	}
	need, may := strings.Fields(m.need), strings.Fields(m.may)
	var wrong []string
	for _, n := range need {
		if c.str(n) == "" {
			wrong = append(wrong, "[ERROR] missing required field: "+n)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(c.args)) {
		if !slices.Contains(need, n) && !slices.Contains(may, n) {
			wrong = append(wrong, "[ERROR] unknown field: "+n)
		}
	}
	if len(wrong) > 0 {
		return nil, detailed("invalid_arguments", wrong...)
	}
	return m.do(s, c)
}

// scoped asks for one of these scopes.
func (s *Server) scoped(c *call, any ...string) *fail {
	for _, want := range any {
		if slices.Contains(c.token.scopes, want) {
			return nil
		}
	}
	return &fail{"missing_scope", obj{"needed": strings.Join(any, ","), "provided": strings.Join(c.token.scopes, ",")}}
}

// page is the part of a list that a call asks for.
func page[T any](s *Server, c *call, list []T, usual, most int) (part []T, cursor string, e *fail) {
	limit := usual
	if c.str("limit") != "" {
		n, ok := c.number("limit")
		if !ok || n < 0 || n > most {
			return nil, "", no("invalid_limit")
		}
		if n > 0 {
			limit = n
		}
	}
	if s.settings.MaxPage > 0 {
		limit = min(limit, s.settings.MaxPage)
	}
	from := 0
	if cur := c.str("cursor"); cur != "" {
		raw, ok := strings.CutPrefix(cur, "bmV4dDo")
		n, err := strconv.Atoi(strings.TrimSuffix(raw, "="))
		if !ok || err != nil || n < 0 || n > len(list) || !strings.HasSuffix(cur, "=") {
			return nil, "", no("invalid_cursor")
		}
		from = n
	}
	to := min(from+limit, len(list))
	if to < len(list) {
		cursor = fmt.Sprintf("bmV4dDo%d=", to)
	}
	return list[from:to], cursor, nil
}

// RevokeToken makes the bot token answer "token_revoked", or another code ("token_expired", "account_inactive"); app: the app
// token. Empty: it works again. It says nothing to the bot; Revoke and Uninstall do.
func (s *Server) RevokeToken(app bool, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token(app).state = code
}

func (s *Server) token(app bool) *token {
	if app {
		return s.tokens[s.ap]
	}
	return s.tokens[s.bots]
}

// SetScopes changes the scopes of a token.
func (s *Server) SetScopes(app bool, scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token(app).scopes = scopes
}

// stamp reads a ts.
func stamp(ts string) (t time.Time, ok bool) {
	sec, frac, _ := strings.Cut(ts, ".")
	n, err := strconv.ParseInt(sec, 10, 64)
	frac = (frac + "000000")[:6]
	micro, bad := strconv.ParseInt(frac, 10, 64)
	return time.Unix(n, micro*1000), err == nil && bad == nil
}
