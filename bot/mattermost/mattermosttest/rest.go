package mattermosttest

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// apiError is an error as the API says it.
type apiError struct {
	status int
	id     string
}

func fail(status int, id string) *apiError { return &apiError{status, id} }

func forbidden() *apiError { return fail(http.StatusForbidden, "api.context.permissions.app_error") }

func badBody() *apiError {
	return fail(http.StatusBadRequest, "api.context.invalid_body_param.app_error")
}

// call is one call of the API while it is handled.
type call struct {
	*http.Request
	by    string // who; empty on a route that needs no login
	token string
	body  []byte
	query url.Values
	plain []byte // an answer that is not JSON
	life  int    // of the server, when it came in
	login string // goes into the header of the answer
}

func (c *call) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(c.query.Get(name)); err == nil && n >= 0 {
		return n
	}
	return otherwise
}

// size is per_page, with the server's limits.
func (c *call) size() int { return min(c.number("per_page", 60), 200) }

func (c *call) me(name string) string {
	if id := c.PathValue(name); id != "me" {
		return id
	}
	return c.by
}

// route is how a path is answered: with the lock held, unless it calls out.
type route func(s *Server, c *call) (status int, answer any, err *apiError)

type entry struct {
	pattern string
	open    bool // no login is needed
	free    bool // the route takes the lock itself
	do      route
}

func routes() []entry {
	return append(adminRoutes(), []entry{
		{"GET /api/v4/system/ping", true, false, getPing},
		{"GET /api/v4/config/client", true, false, getConfig},
		{"GET /api/v4/users", false, false, getUsers},
		{"GET /api/v4/users/{id}", false, false, getUser},
		{"POST /api/v4/users/ids", false, false, getUsersByID},
		{"GET /api/v4/users/{id}/{of}", false, false, getOfUser},
		{"GET /api/v4/users/{id}/teams/{team}/channels", false, false, getUserChannels},
		{"GET /api/v4/teams/{team}", false, false, getTeam},
		{"GET /api/v4/teams/{team}/members/{id}", false, false, getTeamMember},
		{"GET /api/v4/teams/{team}/channels/name/{name}", false, false, getChannelByName},
		{"GET /api/v4/channels/{channel}", false, false, getChannel},
		{"GET /api/v4/channels/{channel}/members", false, false, getChannelMembers},
		{"POST /api/v4/channels/{channel}/members", false, false, addChannelMember},
		{"DELETE /api/v4/channels/{channel}/members/{id}", false, false, removeChannelMember},
		{"GET /api/v4/channels/{channel}/members/{id}", false, false, getChannelMember},
		{"GET /api/v4/channels/{channel}/stats", false, false, getChannelStats},
		{"GET /api/v4/channels/{channel}/posts", false, false, getPosts},
		{"POST /api/v4/channels/direct", false, false, openDirect},
		{"POST /api/v4/posts", false, false, createPost},
		{"POST /api/v4/posts/ephemeral", false, false, createEphemeral},
		{"POST /api/v4/posts/ids", false, false, getPostsByID},
		{"GET /api/v4/posts/{post}", false, false, getPost},
		{"PUT /api/v4/posts/{post}", false, false, updatePost},
		{"PUT /api/v4/posts/{post}/patch", false, false, patchPost},
		{"DELETE /api/v4/posts/{post}", false, false, deletePost},
		{"GET /api/v4/posts/{post}/thread", false, false, getThread},
		{"GET /api/v4/posts/{post}/edit_history", false, false, getHistory},
		{"POST /api/v4/posts/{post}/actions/{action}", false, true, doAction},
		{"POST /api/v4/files", false, false, upload},
		{"GET /api/v4/files/{file}", false, false, getFile},
		{"GET /api/v4/files/{file}/info", false, false, getFileInfo},
		{"POST /api/v4/actions/dialogs/open", true, false, openDialog},
		{"POST /api/v4/actions/dialogs/submit", false, true, submitDialog},
		{"POST /api/v4/commands", false, false, createCommand},
		{"POST /api/v4/commands/execute", false, true, executeCommand},
		{"POST /hooks/commands/{hook}", true, false, useResponseURL},
	}...)
}

// handler is the server's API.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, e := range routes() {
		mux.HandleFunc(e.pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, &e) })
	}
	mux.HandleFunc("GET /api/v4/websocket", s.upgrade)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, nil) })
	return mux
}

func bearer(r *http.Request) string {
	kind, tok, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(kind, "bearer") || strings.EqualFold(kind, "token") {
		return tok
	}
	return ""
}

// arrive is what every request goes through first: faults, and the gate of a frozen server. false: it ends here.
func (s *Server) arrive(r *http.Request, body []byte) (Request, Fault, bool) {
	s.mu.Lock()
	s.calls++
	in := Request{life: s.life, N: s.calls, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: body}
	if u := s.account(bearer(r)); u != nil {
		in.User = u.id
	}
	s.mu.Unlock()
	f := s.faultFor(in)
	s.hold(1)
	defer s.hold(-1)
	s.rest(f.Delay)
	return in, f, s.pass()
}

func (s *Server) hold(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held += n
	s.touch()
}

// answer handles one call: what e says, or whatever is to go wrong.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, e *entry) {
	s.enter()
	defer s.wg.Done()
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	in, f, ok := s.arrive(r, body)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	status, out := f.Status, []byte(f.Body)
	if !f.Lost {
		got, b := s.execute(&call{Request: r, body: body, query: r.URL.Query(), token: bearer(r), by: in.User, life: in.life}, e, h)
		if got == 0 {
			panic(http.ErrAbortHandler)
		}
		if status == 0 {
			status, out = got, b
		}
	}
	if f.Status > 0 && f.Body == "" {
		out = s.errorBody(fail(f.Status, "app.fault.app_error"))
	}
	if f.Type != "" {
		h.Set("Content-Type", f.Type)
	}
	for k, v := range f.Header {
		h.Set(k, v)
	}
	s.rest(f.Late)
	s.mu.Lock()
	if f.Cut || f.Hang {
		status = 0
	}
	s.note(Entry{Kind: KindRequest, Name: r.Method + " " + r.URL.Path, User: in.User, Status: status, Body: string(body)})
	h.Set("Date", s.clock().UTC().Format(http.TimeFormat))
	s.mu.Unlock()
	if f.Hang {
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
	}
	if f.Cut || f.Hang || !s.pass() {
		panic(http.ErrAbortHandler)
	}
	h.Set("Content-Length", strconv.Itoa(len(out)))
	w.WriteHeader(status)
	if f.Half {
		_, _ = w.Write(out[:len(out)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(out)
}

// execute does what the call asks and says the answer; 0: the server restarted since it came in, and knows nothing of it.
func (s *Server) execute(c *call, e *entry, h http.Header) (int, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.life != s.life {
		return 0, nil
	}
	h.Set("Content-Type", "application/json")
	h.Set("X-Request-Id", newID())
	h.Set("X-Version-Id", s.serverVersion())
	if s.limit(c.token, h) {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		return http.StatusTooManyRequests, []byte("limit exceeded\n")
	}
	var failed *apiError
	switch {
	case e == nil:
		failed = fail(http.StatusNotFound, "api.context.404.app_error")
	case !e.open && c.by == "":
		failed = fail(http.StatusUnauthorized, "api.context.session_expired.app_error")
	}
	if failed != nil {
		return failed.status, s.errorBody(failed)
	}
	if e.free {
		s.mu.Unlock()
	}
	status, answer, failed := e.do(s, c)
	if e.free {
		s.mu.Lock()
	}
	if failed != nil {
		return failed.status, s.errorBody(failed)
	}
	s.touch()
	if c.login != "" {
		h.Set("Token", c.login)
	}
	if c.plain != nil {
		h.Set("Content-Type", http.DetectContentType(c.plain))
		return status, c.plain
	}
	b, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return status, b
}

func (s *Server) errorBody(e *apiError) []byte {
	return []byte(text(map[string]any{
		"id": e.id, "message": "Something is wrong: " + e.id, "detailed_error": "", "request_id": newID(), "status_code": e.status,
	}))
}

func (s *Server) serverVersion() string {
	return s.version.String() + "." + s.version.String() + ".0123456789abcdef0123456789abcdef.false"
}

var statusOK = map[string]string{"status": "OK"}

func getPing(s *Server, _ *call) (int, any, *apiError) { return 200, statusOK, nil }

// getConfig is one of the places where the versions differ: the older one answers only a client that asks for the old format.
func getConfig(s *Server, c *call) (int, any, *apiError) {
	switch format := c.query.Get("format"); {
	case format == "" && s.version == V9:
		return 0, nil, fail(http.StatusNotImplemented, "api.config.client.old_format.app_error")
	case format != "" && format != "old":
		return 0, nil, fail(400, "api.context.invalid_body_param.app_error")
	}
	threads := "disabled"
	if s.settings.CollapsedThreads {
		threads = "default_on"
	}
	j := map[string]string{
		"Version": s.version.String(), "BuildNumber": s.version.String(), "SiteURL": s.settings.SiteURL, "CollapsedThreads": threads,
		"EnableCommands": strconv.FormatBool(!s.settings.CommandsDisabled), "DefaultClientLocale": "en", "EnableBotAccountCreation": "true",
	}
	if der, err := x509.MarshalPKIXPublicKey(&s.signing.PublicKey); err == nil && !s.settings.NoSigningKey {
		j["AsymmetricSigningPublicKey"] = base64.StdEncoding.EncodeToString(der)
	}
	if c.by != "" {
		j["PostEditTimeLimit"] = strconv.Itoa(cmp.Or(s.settings.EditTimeLimit, -1))
		j["MaxPostSize"] = strconv.Itoa(s.settings.MaxPostSize)
		j["RestrictDirectMessage"] = "any"
		if s.settings.RestrictDMs {
			j["RestrictDirectMessage"] = "team"
		}
	}
	return 200, j, nil
}

func getUser(s *Server, c *call) (int, any, *apiError) {
	u := s.users[c.me("id")]
	if u == nil {
		return 0, nil, fail(404, "app.user.missing_account.const")
	}
	return 200, s.userJSON(u, c.by), nil
}

// getOfUser is apart from the table because username/{name} and {id}/teams both match username/teams.
func getOfUser(s *Server, c *call) (int, any, *apiError) {
	switch {
	case c.PathValue("id") == "username":
		return getUserByName(s, c)
	case c.PathValue("of") == "teams":
		return getUserTeams(s, c)
	case c.PathValue("of") == "channels":
		return getUserChannels(s, c)
	}
	return 0, nil, fail(404, "api.context.404.app_error")
}

func getUserByName(s *Server, c *call) (int, any, *apiError) {
	for _, u := range s.users {
		if u.Name == c.PathValue("of") {
			return 200, s.userJSON(u, c.by), nil
		}
	}
	return 0, nil, fail(404, "app.user.get_by_username.app_error")
}

func getUsers(s *Server, c *call) (int, any, *apiError) {
	members := map[string]*member{}
	switch in, team := c.query.Get("in_channel"), c.query.Get("in_team"); {
	case in != "":
		if !s.reads(c.by, s.channels[in]) {
			return 0, nil, forbidden()
		}
		members = s.channels[in].members
	case team != "":
		if s.teams[team] == nil || s.teams[team].members[c.by] == nil && !s.admin(c.by) {
			return 0, nil, forbidden()
		}
		members = s.teams[team].members
	default:
		for id := range s.users {
			members[id] = nil
		}
	}
	list := []any{}
	for _, u := range slice(s.named(members), c.number("page", 0), c.size()) {
		list = append(list, s.userJSON(u, c.by))
	}
	return 200, list, nil
}

func getUsersByID(s *Server, c *call) (int, any, *apiError) {
	var ids []string
	if json.Unmarshal(c.body, &ids) != nil || len(ids) == 0 {
		return 0, nil, badBody()
	}
	list := []any{}
	for _, id := range ids {
		if u := s.users[id]; u != nil {
			list = append(list, s.userJSON(u, c.by))
		}
	}
	return 200, list, nil
}

func getUserTeams(s *Server, c *call) (int, any, *apiError) {
	id := c.me("id")
	if id != c.by && !s.admin(c.by) {
		return 0, nil, forbidden()
	}
	list := []any{}
	for _, t := range slices.SortedFunc(maps.Values(s.teams), func(a, b *team) int { return strings.Compare(a.name, b.name) }) {
		if t.members[id] != nil {
			list = append(list, s.teamJSON(t))
		}
	}
	return 200, list, nil
}

// getUserChannels lists all channels of a user, or those of one team and the direct ones.
func getUserChannels(s *Server, c *call) (int, any, *apiError) {
	id, team := c.me("id"), c.PathValue("team")
	if id != c.by && !s.admin(c.by) {
		return 0, nil, forbidden()
	}
	if team != "" && (s.teams[team] == nil || s.teams[team].members[id] == nil) {
		return 0, nil, forbidden()
	}
	deleted := c.query.Get("include_deleted") == "true"
	list := []any{}
	for _, ch := range slices.SortedFunc(maps.Values(s.channels), func(a, b *channel) int { return strings.Compare(a.name, b.name) }) {
		if ch.members[id] != nil && (ch.deleted == 0 || deleted) && (team == "" || ch.team == team || ch.team == "") {
			list = append(list, s.channelJSON(ch))
		}
	}
	return 200, list, nil
}

func (s *Server) teamFor(c *call) (*team, *apiError) {
	t := s.teams[c.PathValue("team")]
	if t == nil || t.members[c.by] == nil && !s.admin(c.by) {
		return nil, forbidden()
	}
	return t, nil
}

func getTeam(s *Server, c *call) (int, any, *apiError) {
	t, err := s.teamFor(c)
	if err != nil {
		return 0, nil, err
	}
	return 200, s.teamJSON(t), nil
}

func getTeamMember(s *Server, c *call) (int, any, *apiError) {
	t, err := s.teamFor(c)
	if err != nil {
		return 0, nil, err
	}
	m := t.members[c.me("id")]
	if m == nil {
		return 0, nil, fail(404, "app.team.get_member.missing.app_error")
	}
	return 200, memberJSON(m, "team", t.id, c.me("id")), nil
}

func (s *Server) channelFor(c *call) (*channel, *apiError) {
	ch := s.channels[c.PathValue("channel")]
	if !s.reads(c.by, ch) {
		return nil, forbidden()
	}
	return ch, nil
}

func getChannel(s *Server, c *call) (int, any, *apiError) {
	ch := s.channels[c.PathValue("channel")]
	if ch == nil {
		return 0, nil, fail(404, "app.channel.get.existing.app_error")
	}
	if !s.reads(c.by, ch) {
		return 0, nil, forbidden()
	}
	return 200, s.channelJSON(ch), nil
}

func getChannelByName(s *Server, c *call) (int, any, *apiError) {
	for _, ch := range s.channels {
		if ch.team == c.PathValue("team") && ch.name == c.PathValue("name") && s.reads(c.by, ch) {
			return 200, s.channelJSON(ch), nil
		}
	}
	return 0, nil, fail(404, "app.channel.get_by_name.missing.app_error")
}

func getChannelMembers(s *Server, c *call) (int, any, *apiError) {
	ch, err := s.channelFor(c)
	if err != nil {
		return 0, nil, err
	}
	list := []any{}
	for _, u := range slice(s.named(ch.members), c.number("page", 0), c.size()) {
		list = append(list, memberJSON(ch.members[u.id], "channel", ch.id, u.id))
	}
	return 200, list, nil
}

func getChannelMember(s *Server, c *call) (int, any, *apiError) {
	ch, err := s.channelFor(c)
	if err != nil {
		return 0, nil, err
	}
	m := ch.members[c.me("id")]
	if m == nil {
		return 0, nil, fail(404, "app.channel.get_member.missing.app_error")
	}
	return 200, memberJSON(m, "channel", ch.id, c.me("id")), nil
}

// addChannelMember: any member of a channel may add somebody of the team.
func addChannelMember(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		UserID string `json:"user_id"`
	}
	ch := s.channels[c.PathValue("channel")]
	switch {
	case json.Unmarshal(c.body, &in) != nil || s.users[in.UserID] == nil:
		return 0, nil, badBody()
	case ch == nil || ch.members[c.by] == nil && !s.admin(c.by) || ch.kind == "D" || ch.kind == "G":
		return 0, nil, forbidden()
	}
	if err := s.join(ch, in.UserID, c.by); err != nil {
		return 0, nil, err
	}
	return 201, memberJSON(ch.members[in.UserID], "channel", ch.id, in.UserID), nil
}

func removeChannelMember(s *Server, c *call) (int, any, *apiError) {
	ch, id := s.channels[c.PathValue("channel")], c.me("id")
	if ch == nil || ch.members[c.by] == nil && !s.admin(c.by) || ch.kind == "D" || ch.kind == "G" {
		return 0, nil, forbidden()
	}
	if ch.members[id] == nil {
		return 0, nil, fail(404, "app.channel.get_member.missing.app_error")
	}
	s.leave(ch, id)
	return 200, statusOK, nil
}

func getChannelStats(s *Server, c *call) (int, any, *apiError) {
	ch, err := s.channelFor(c)
	if err != nil {
		return 0, nil, err
	}
	n := 0
	for id := range ch.members {
		if s.users[id].deleted == 0 {
			n++
		}
	}
	return 200, map[string]any{"channel_id": ch.id, "member_count": n, "guest_count": 0, "pinnedpost_count": 0, "files_count": 0}, nil
}

func getPosts(s *Server, c *call) (int, any, *apiError) {
	ch, err := s.channelFor(c)
	if err != nil {
		return 0, nil, err
	}
	if c.query.Get("include_deleted") == "true" && !s.admin(c.by) {
		return 0, nil, forbidden()
	}
	collapsed := c.query.Get("collapsedThreads") == "true"
	if when := c.query.Get("since"); when != "" && when != "0" {
		ms, bad := strconv.ParseInt(when, 10, 64)
		if bad != nil {
			return 0, nil, fail(400, "api.context.invalid_body_param.app_error")
		}
		return 200, s.since(ch, ms, collapsed), nil
	}
	return 200, s.page(ch, c.query.Get("after"), c.query.Get("before"), c.number("page", 0), c.size(), collapsed), nil
}

func openDirect(s *Server, c *call) (int, any, *apiError) {
	var ids []string
	switch {
	case json.Unmarshal(c.body, &ids) != nil || len(ids) != 2 || s.users[ids[0]] == nil || s.users[ids[1]] == nil:
		return 0, nil, badBody()
	case !slices.Contains(ids, c.by) && !s.admin(c.by):
		return 0, nil, forbidden()
	case s.apart(ids[0], ids[1]):
		return 0, nil, fail(http.StatusForbidden, "api.channel.create_channel.direct_channel.team_restricted_error")
	}
	return 201, s.channelJSON(s.direct(ids[0], ids[1])), nil
}

func createPost(s *Server, c *call) (int, any, *apiError) {
	var p post
	if json.Unmarshal(c.body, &p) != nil {
		return 0, nil, badBody()
	}
	made, err := s.create(c.by, &p)
	return 201, made, err
}

func createEphemeral(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		UserID string `json:"user_id"`
		Post   post   `json:"post"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return 0, nil, badBody()
	}
	if !s.admin(c.by) {
		return 0, nil, forbidden()
	}
	s.tell(in.UserID, in.Post.ChannelID, in.Post.Message)
	in.Post.Type = "system_ephemeral"
	return 201, s.clean(&in.Post), nil
}

func getPost(s *Server, c *call) (int, any, *apiError) {
	p, err := s.read(c.by, c.PathValue("post"))
	return 200, p, err
}

func getPostsByID(s *Server, c *call) (int, any, *apiError) {
	var ids []string
	if json.Unmarshal(c.body, &ids) != nil || len(ids) == 0 {
		return 0, nil, badBody()
	}
	list := []*post{}
	for _, id := range ids {
		if p, err := s.read(c.by, id); err == nil {
			list = append(list, p)
		}
	}
	return 200, list, nil
}

func updatePost(s *Server, c *call) (int, any, *apiError) {
	var n post
	if json.Unmarshal(c.body, &n) != nil || n.ID != c.PathValue("post") {
		return 0, nil, badBody()
	}
	p, err := s.editable(c.by, n.ID)
	if err != nil {
		return 0, nil, err
	}
	done, err := s.replace(p, &n)
	return 200, done, err
}

func patchPost(s *Server, c *call) (int, any, *apiError) {
	var patch struct {
		Message  *string         `json:"message"`
		Props    *map[string]any `json:"props"`
		FileIDs  *[]string       `json:"file_ids"`
		IsPinned *bool           `json:"is_pinned"`
	}
	if json.Unmarshal(c.body, &patch) != nil {
		return 0, nil, badBody()
	}
	p, err := s.editable(c.by, c.PathValue("post"))
	if err != nil {
		return 0, nil, err
	}
	n := copied(*p)
	if patch.Message != nil {
		n.Message = *patch.Message
	}
	if patch.Props != nil {
		n.Props = *patch.Props
	}
	if patch.FileIDs != nil {
		n.FileIDs = *patch.FileIDs
	}
	if patch.IsPinned != nil {
		n.IsPinned = *patch.IsPinned
	}
	done, err := s.replace(p, &n)
	return 200, done, err
}

func deletePost(s *Server, c *call) (int, any, *apiError) {
	return 200, statusOK, s.remove(c.by, c.PathValue("post"))
}

func getThread(s *Server, c *call) (int, any, *apiError) {
	if _, err := s.read(c.by, c.PathValue("post")); err != nil {
		return 0, nil, err
	}
	root := s.posts[c.PathValue("post")]
	if root.RootID != "" {
		root = s.posts[root.RootID]
	}
	list := []*post{root}
	for _, r := range s.threads[root.ID] {
		if r.DeleteAt == 0 {
			list = append(list, r)
		}
	}
	return 200, s.postList(list, list), nil
}

// getHistory is for the author only.
func getHistory(s *Server, c *call) (int, any, *apiError) {
	p := s.alive(c.PathValue("post"))
	if p == nil || p.UserID != c.by {
		return 0, nil, forbidden()
	}
	list := []any{}
	for _, r := range slices.Backward(s.rows) {
		if r.OriginalID == p.ID {
			list = append(list, copied(*r))
		}
	}
	if len(list) == 0 {
		return 0, nil, fail(404, "app.post.get_post_edit_history.app_error")
	}
	return 200, list, nil
}

// upload takes a form, or the bare file with its name in the query.
func upload(s *Server, c *call) (int, any, *apiError) {
	if s.settings.UploadsDisabled {
		return 0, nil, fail(403, "api.file.attachments.disabled.app_error")
	}
	channelID, names, parts := c.query.Get("channel_id"), []string{c.query.Get("filename")}, [][]byte{c.body}
	kind, params, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if strings.HasPrefix(kind, "multipart/") {
		form, err := multipart.NewReader(bytes.NewReader(c.body), params["boundary"]).ReadForm(64 << 20)
		if err != nil {
			return 0, nil, fail(400, "api.file.upload_file.read_form_value.app_error")
		}
		if v := form.Value["channel_id"]; len(v) > 0 {
			channelID = v[0]
		}
		names, parts = nil, nil
		for _, h := range form.File["files"] {
			f, err := h.Open()
			if err != nil {
				return 0, nil, badBody()
			}
			b, _ := io.ReadAll(f)
			_ = f.Close()
			names, parts = append(names, h.Filename), append(parts, b)
		}
	}
	if ch := s.channels[channelID]; ch == nil || ch.members[c.by] == nil {
		return 0, nil, forbidden()
	}
	infos := []any{}
	for i, b := range parts {
		f := &file{id: newID(), user: c.by, channel: channelID, name: names[i], mime: http.DetectContentType(b), created: s.now(), data: b}
		s.files[f.id] = f
		infos = append(infos, f.json())
	}
	return 201, map[string]any{"file_infos": infos, "client_ids": []string{}}, nil
}

func (s *Server) fileFor(c *call) (*file, *apiError) {
	f := s.files[c.PathValue("file")]
	if f == nil {
		return nil, fail(404, "app.file_info.get.app_error")
	}
	if f.user != c.by && !s.reads(c.by, s.channels[f.channel]) {
		return nil, forbidden()
	}
	return f, nil
}

func getFile(s *Server, c *call) (int, any, *apiError) {
	f, err := s.fileFor(c)
	if err != nil {
		return 0, nil, err
	}
	c.plain = f.data
	return 200, nil, nil
}

func getFileInfo(s *Server, c *call) (int, any, *apiError) {
	f, err := s.fileFor(c)
	if err != nil {
		return 0, nil, err
	}
	return 200, f.json(), nil
}
