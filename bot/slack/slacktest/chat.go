package slacktest

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// message is in a conversation, or is shown to one person only.
type message struct {
	ch          *channel
	ts, user    string // user is of the bot too
	bot         bool
	text        string
	blocks      []any
	attachments []any
	thread      string // ts of the message it replies to
	broadcast   bool
	subtype     string
	client      string // client_msg_id
	metadata    any
	files       []*file
	edited      string // ts
	only        string // the one person who sees it
	gone        bool
	tombstone   bool // deleted, and replies hang under it
	extra       obj  // more that the bot gets
}

// there says whether people still see a message.
func (m *message) there() bool { return !m.gone }

func (c *channel) find(ts string) *message {
	for _, m := range c.messages {
		if m.ts == ts && m.there() {
			return m
		}
	}
	return nil
}

// messageJSON is a message as the API shows it.
func (s *Server) messageJSON(m *message, metadata bool) obj {
	o := obj{"type": "message", "ts": m.ts, "user": m.user, "text": m.text, "team": s.opts.Team}
	if m.tombstone {
		o["subtype"], o["user"], o["text"], o["hidden"] = "tombstone", "USLACKBOT", "This message was deleted.", true
	}
	if m.bot && !m.tombstone {
		o["bot_id"], o["app_id"] = s.botID, s.app
		o["bot_profile"] = obj{"id": s.botID, "deleted": false, "name": s.users[s.bot].Name, "updated": 0, "app_id": s.app, "team_id": s.opts.Team, "icons": obj{}}
	}
	if m.subtype != "" {
		o["subtype"] = m.subtype
	}
	if m.client != "" {
		o["client_msg_id"] = m.client
	}
	if m.blocks != nil && !m.tombstone {
		o["blocks"] = m.blocks
	}
	if len(m.attachments) > 0 {
		o["attachments"] = m.attachments
	}
	if metadata && m.metadata != nil {
		o["metadata"] = m.metadata
	}
	if len(m.files) > 0 {
		var list []obj
		for _, f := range m.files {
			list = append(list, s.fileJSON(f))
		}
		o["files"], o["upload"], o["display_as_bot"] = list, false, false
	}
	if m.edited != "" {
		o["edited"] = obj{"user": m.user, "ts": m.edited}
	}
	if m.only != "" {
		o["is_ephemeral"] = true
	}
	if m.thread != "" {
		o["thread_ts"] = m.thread
		if m.thread != m.ts {
			if root := m.ch.find(m.thread); root != nil {
				o["parent_user_id"] = root.user
			}
		}
	}
	var repliers []string
	count, latest := 0, ""
	for _, r := range m.ch.messages {
		if r != m && r.there() && r.thread == m.ts {
			count, latest = count+1, r.ts
			if !slices.Contains(repliers, r.user) {
				repliers = append(repliers, r.user)
			}
		}
	}
	if count > 0 {
		o["thread_ts"], o["reply_count"], o["reply_users"], o["reply_users_count"] = m.ts, count, repliers, len(repliers)
		o["latest_reply"], o["is_locked"], o["subscribed"] = latest, false, true
	}
	maps.Copy(o, m.extra)
	return o
}

// write puts a message in its conversation and tells the app.
func (s *Server) write(m *message) {
	m.ts = s.ts()
	m.ch.messages = append(m.ch.messages, m)
	if !m.ch.has(s.bot) {
		return
	}
	e := s.messageJSON(m, false)
	e["channel"], e["channel_type"], e["event_ts"] = m.ch.ID, m.ch.kind(), m.ts
	s.event("message", e)
}

// change says that a message is not what it was.
func (s *Server) change(m *message, before obj) {
	ts := s.ts()
	now := s.messageJSON(m, false)
	now["source_team"], now["user_team"] = s.opts.Team, s.opts.Team
	s.event("message", obj{
		"subtype": "message_changed", "message": now, "previous_message": before, "channel": m.ch.ID, "channel_type": m.ch.kind(), "hidden": true,
		"ts": ts, "event_ts": ts,
	})
}

// remove deletes a message.
func (s *Server) remove(m *message) {
	before := s.messageJSON(m, false)
	for _, r := range m.ch.messages {
		if r != m && r.there() && r.thread == m.ts && !m.tombstone {
			m.tombstone, m.files, m.attachments = true, nil, nil
			s.change(m, before)
			return
		}
	}
	m.gone = true
	ts := s.ts()
	s.event("message", obj{
		"subtype": "message_deleted", "previous_message": before, "channel": m.ch.ID, "channel_type": m.ch.kind(), "hidden": true,
		"deleted_ts": m.ts, "ts": ts, "event_ts": ts,
	})
}

// content is what a call says about a message: text, blocks, attachments and metadata.
func (s *Server) content(c *call, into *message) *fail {
	if t := c.str("text"); c.has("text") {
		into.text = cut(t)
	}
	if c.has("markdown_text") {
		if c.has("text") || c.has("blocks") {
			return no("markdown_text_conflict")
		}
		into.text = cut(c.str("markdown_text"))
	}
	for _, name := range []string{"blocks", "attachments"} {
		if !c.has(name) {
			continue
		}
		v, ok := c.json(name)
		list, isList := v.([]any)
		if !ok || v != nil && !isList {
			return no("invalid_" + name + "_format")
		}
		k := checker{surface: onMessage, newBlocks: s.settings.NewBlocks, blockIDs: map[string]bool{}}
		if name == "blocks" {
			k.blocks("/blocks", list)
			into.blocks = finishBlocks(list)
		} else {
			k.attachments("/attachments", list)
			into.attachments = list
			for _, a := range list {
				if o, _ := a.(obj); o != nil && o["blocks"] != nil {
					b, _ := o["blocks"].([]any)
					o["blocks"] = finishBlocks(b)
				}
			}
		}
		if len(k.problems) > 0 {
			return detailed("invalid_"+name, lines(k.problems)...)
		}
		if k.total > messageTotal {
			return no("msg_blocks_too_long")
		}
	}
	if c.has("metadata") {
		v, ok := c.json("metadata")
		if !ok || v != nil && !goodMetadata(v) {
			return no("invalid_metadata_format")
		}
		into.metadata = v
	}
	if into.text == "" && len(into.blocks) == 0 && len(into.attachments) == 0 {
		return no("no_text")
	}
	return nil
}

// cut is what a server keeps of a text.
func cut(t string) string {
	if r := []rune(t); len(r) > textCap {
		return string(r[:textCap])
	}
	return t
}

// postable is the conversation that a call posts in.
func (s *Server) postable(id string) (*channel, *fail) {
	ch := s.channels[id]
	if u := s.users[id]; u != nil && ch == nil { // the direct channel of a person
		if u.Deleted {
			return nil, no("user_disabled")
		}
		ch = s.direct(id)
	}
	switch {
	case ch == nil || ch.deleted || !ch.has(s.bot) && (ch.Private || ch.im || ch.mpim):
		return nil, no("channel_not_found")
	case ch.Archived:
		return nil, no("is_archived")
	case !ch.has(s.bot):
		return nil, no("not_in_channel")
	case ch.im && s.users[ch.user].Deleted:
		return nil, no("user_disabled")
	case ch.im && s.settings.MessagesOff:
		return nil, no("messages_tab_disabled")
	}
	return ch, nil
}

func (s *Server) show(c *call, ch, user string, ok bool) {
	s.shown = append(s.shown, Shown{By: c.method, Channel: ch, User: user, Accepted: ok, JSON: text(c.args)})
}

func postMessage(s *Server, c *call) (out obj, e *fail) {
	defer func() { s.show(c, c.str("channel"), "", e == nil) }()
	ch, e := s.postable(c.str("channel"))
	if e != nil {
		return nil, e
	}
	for _, name := range []string{"username", "icon_url", "icon_emoji"} {
		if c.has(name) {
			if e := s.scoped(c, "chat:write.customize"); e != nil {
				return nil, e
			}
		}
	}
	m := &message{ch: ch, user: s.bot, bot: true, broadcast: c.flag("reply_broadcast")}
	if e := s.content(c, m); e != nil {
		return nil, e
	}
	if t := c.str("thread_ts"); t != "" {
		root := ch.find(t)
		switch {
		case root == nil:
			return nil, no("thread_not_found")
		case root.thread != "" && root.thread != root.ts:
			return nil, no("cannot_reply_to_message")
		}
		m.thread = root.ts
	}
	if s.settings.MessageLimit {
		return nil, no("message_limit_exceeded")
	}
	if every := s.settings.PostEvery; every > 0 {
		if last, ok := s.lastPost[ch.ID]; ok && time.Since(last) < every {
			return nil, no("ratelimited")
		}
		s.lastPost[ch.ID] = time.Now()
	}
	s.write(m)
	return obj{"channel": ch.ID, "ts": m.ts, "message": s.messageJSON(m, true)}, nil
}

func postEphemeral(s *Server, c *call) (out obj, e *fail) {
	defer func() { s.show(c, c.str("channel"), c.str("user"), e == nil) }()
	ch, e := s.postable(c.str("channel"))
	if e != nil {
		return nil, e
	}
	switch u := s.users[c.str("user")]; {
	case u == nil || u.Deleted:
		return nil, no("user_not_found")
	case !ch.has(u.ID):
		return nil, no("user_not_in_channel")
	}
	m := &message{ch: ch, user: s.bot, bot: true, only: c.str("user"), thread: c.str("thread_ts")}
	if e := s.content(c, m); e != nil {
		return nil, e
	}
	s.whisper(m)
	return obj{"message_ts": m.ts}, nil
}

// whisper shows a message to one person.
func (s *Server) whisper(m *message) {
	m.ts = s.ts()
	s.ephemeral = append(s.ephemeral, m)
}

// own is a message of the bot that a call names.
func (s *Server) own(c *call, why string) (*message, *fail) {
	ch := s.channels[c.str("channel")]
	if ch == nil || ch.deleted || !ch.has(s.bot) && (ch.Private || ch.im) {
		return nil, no("channel_not_found")
	}
	m := ch.find(c.str("ts"))
	switch {
	case m == nil || m.tombstone:
		return nil, no("message_not_found")
	case !m.bot:
		return nil, no(why)
	case ch.Archived:
		return nil, no("is_archived")
	}
	return m, nil
}

func chatUpdate(s *Server, c *call) (out obj, e *fail) {
	defer func() { s.show(c, c.str("channel"), "", e == nil) }()
	m, e := s.own(c, "cant_update_message")
	if e != nil {
		return nil, e
	}
	if !c.has("text") && !c.has("blocks") && !c.has("attachments") && !c.has("metadata") && !c.has("markdown_text") && !c.has("file_ids") {
		return nil, no("no_text")
	}
	if size(c.str("text")) > updateCap {
		return nil, no("msg_too_long")
	}
	n := *m
	if e := s.content(c, &n); e != nil { // what is not named stays
		return nil, e
	}
	before := s.messageJSON(m, false)
	same := n.text == m.text && text(n.attachments) == text(m.attachments) && !c.has("blocks")
	*m = n
	if !same {
		m.edited = s.ts()
		s.change(m, before)
	}
	return obj{"channel": m.ch.ID, "ts": m.ts, "text": m.text, "message": s.messageJSON(m, true)}, nil
}

func chatDelete(s *Server, c *call) (obj, *fail) {
	m, e := s.own(c, "cant_delete_message")
	if e != nil {
		return nil, e
	}
	s.remove(m)
	return obj{"channel": m.ch.ID, "ts": m.ts}, nil
}

func getPermalink(s *Server, c *call) (obj, *fail) {
	ch := s.channels[c.str("channel")]
	if ch == nil || ch.deleted || !ch.has(s.bot) && ch.kind() != "channel" {
		return nil, no("channel_not_found")
	}
	ts := c.str("message_ts")
	if ch.find(ts) == nil {
		return nil, no("message_not_found")
	}
	return obj{"channel": ch.ID, "permalink": "https://zorggroep.slack.com/archives/" + ch.ID + "/p" + strings.ReplaceAll(ts, ".", "")}, nil
}

// file is an upload, or what a person sent.
type file struct {
	id, name, title, mime, owner string
	size                         int
	data                         []byte
	alt                          string
	audio                        bool
	done                         bool
}

func (s *Server) fileJSON(f *file) obj {
	kind := strings.TrimPrefix(f.name[strings.LastIndex(f.name, ".")+1:], ".")
	o := obj{
		"id": f.id, "created": s.said().Unix(), "timestamp": s.said().Unix(), "name": f.name, "title": f.title, "mimetype": f.mime, "filetype": kind,
		"pretty_type": strings.ToUpper(kind), "user": f.owner, "user_team": s.opts.Team, "editable": false, "size": f.size, "mode": "hosted",
		"is_external": false, "external_type": "", "is_public": false, "public_url_shared": false, "display_as_bot": false, "username": "",
		"url_private":          "http://" + s.addr + "/files/" + f.id + "/" + f.name,
		"url_private_download": "http://" + s.addr + "/files/" + f.id + "/" + f.name, "media_display_type": "unknown", "has_rich_preview": false,
		"file_access": "visible", "alt_txt": f.alt,
	}
	if f.audio {
		o["subtype"], o["media_display_type"], o["duration_ms"] = "slack_audio", "audio", 2400
		o["transcription"] = obj{"status": "processing"}
	}
	return o
}

func getUploadURL(s *Server, c *call) (obj, *fail) {
	n, ok := c.number("length")
	if !ok || n <= 0 {
		return nil, detailed("invalid_arguments", "[ERROR] length must be more than 0")
	}
	f := &file{id: newID("F"), name: c.str("filename"), owner: s.bot, size: n, alt: c.str("alt_txt"), mime: "application/octet-stream"}
	s.files[f.id] = f
	return obj{"upload_url": "http://" + s.addr + "/upload/" + f.id, "file_id": f.id}, nil
}

// serveUpload takes the bytes of a file: as they are, or as a form.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.wg.Done()
	var data []byte
	var err error
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		if err = r.ParseMultipartForm(16 << 20); err == nil {
			for _, list := range r.MultipartForm.File {
				f, bad := list[0].Open()
				if bad != nil {
					err = bad
					break
				}
				data, err = io.ReadAll(f)
				_ = f.Close()
			}
		}
	} else {
		data, err = io.ReadAll(io.LimitReader(r.Body, 16<<20))
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.serve(w, r, Request{Method: "upload", Args: text(obj{"bytes": len(data)})}, func() (answer, string) {
		f := s.files[r.PathValue("id")]
		switch {
		case f == nil || f.done:
			return answer{status: http.StatusNotFound, kind: "text/plain", body: []byte("not found")}, "not_found"
		case len(data) != f.size:
			return answer{status: http.StatusBadRequest, kind: "text/plain", body: []byte("wrong length")}, "wrong_length"
		}
		f.data = data
		return answer{status: http.StatusOK, kind: "text/plain", body: []byte("OK - " + strconv.Itoa(len(data)))}, ""
	})
}

// serveFile gives the bytes of a file, which needs the scope files:read.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.wg.Done()
	s.serve(w, r, Request{Method: "file"}, func() (answer, string) {
		t := s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		f := s.files[r.PathValue("id")]
		if t == nil || t.state != "" || f == nil || !slices.Contains(t.scopes, "files:read") {
			return answer{status: http.StatusOK, kind: "text/html", body: []byte("<html>sign in</html>")}, "no_access"
		}
		return answer{status: http.StatusOK, kind: f.mime, body: f.data}, ""
	})
}

func completeUpload(s *Server, c *call) (obj, *fail) {
	v, ok := c.json("files")
	list, _ := v.([]any)
	if !ok || len(list) == 0 {
		return nil, detailed("invalid_arguments", "[ERROR] files must be a list")
	}
	var files []*file
	for _, x := range list {
		o, _ := x.(obj)
		f := s.files[str(o["id"])]
		switch {
		case f == nil || f.done:
			return nil, no("file_not_found")
		case f.data == nil:
			return nil, no("file_upload_not_complete")
		}
		f.title = str(o["title"])
		files = append(files, f)
	}
	var to []*channel
	ids := strings.Split(c.str("channels"), ",")
	if c.str("channel_id") != "" {
		ids = []string{c.str("channel_id")}
	}
	for _, id := range ids {
		if id == "" {
			continue
		}
		ch, e := s.postable(id)
		if e != nil {
			return nil, e
		}
		if t := c.str("thread_ts"); t != "" && ch.find(t) == nil {
			return nil, no("thread_not_found")
		}
		to = append(to, ch)
	}
	var shown []obj
	for _, f := range files {
		f.done = true
		shown = append(shown, obj{"id": f.id, "title": f.title})
	}
	for _, ch := range to {
		s.write(&message{ch: ch, user: s.bot, bot: true, text: c.str("initial_comment"), files: files, thread: c.str("thread_ts"), subtype: "file_share"})
		s.show(c, ch.ID, "", true)
	}
	return obj{"files": shown}, nil
}

// reply is a response URL.
type reply struct {
	user    string
	channel *channel
	source  *message // the message that it can replace; nil: none
	used    int
	until   time.Time
}

// responseURL makes one.
func (s *Server) responseURL(kind, user string, ch *channel, source *message) string {
	id := random(30)
	s.replies[id] = &reply{user: user, channel: ch, source: source, until: s.clock().Add(s.settings.ResponseURLLife)}
	return "http://" + s.addr + "/" + kind + "/" + id
}

// serveReply is the use of a response URL: five times within half an hour, without a token.
func (s *Server) serveReply(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.wg.Done()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.serve(w, r, Request{Method: "response_url", Args: string(body)}, func() (answer, string) {
		refuse := func(status int, code string) (answer, string) {
			a := jsonAnswer(obj{"ok": false, "error": code})
			a.status = status
			return a, code
		}
		u := s.replies[r.PathValue("id")]
		switch {
		case u == nil || s.clock().After(u.until):
			return refuse(http.StatusNotFound, "expired_url")
		case u.used >= 5:
			return refuse(http.StatusNotFound, "used_url")
		case r.Method != http.MethodPost:
			return refuse(http.StatusNotFound, "invalid_post_type")
		}
		var in obj
		if json.Unmarshal(body, &in) != nil {
			return refuse(http.StatusBadRequest, "invalid_payload")
		}
		u.used++
		if _, e := s.respond("response_url", u, in); e != nil {
			return refuse(http.StatusInternalServerError, e.code)
		}
		return answer{status: http.StatusOK, kind: "text/plain", body: []byte("ok")}, ""
	})
}

// respond does what a response URL, or the answer to a command, asks for.
func (s *Server) respond(by string, u *reply, in obj) (m *message, e *fail) {
	defer func() {
		s.shown = append(s.shown, Shown{By: by, Channel: u.channel.ID, User: u.user, Accepted: e == nil, JSON: text(in)})
	}()
	if in["delete_original"] == true {
		if u.source == nil {
			return nil, no("message_not_found")
		}
		u.source.gone = true
		return nil, nil
	}
	args := obj{}
	for _, k := range []string{"text", "blocks", "attachments", "metadata"} {
		if in[k] != nil {
			args[k] = in[k]
		}
	}
	if md, _ := args["metadata"].(obj); md != nil && str(md["event_type"]) == "" {
		delete(args, "metadata")
	}
	m = &message{ch: u.channel, user: s.bot, bot: true}
	if in["replace_original"] == true && u.source != nil {
		m = &message{ch: u.source.ch, user: s.bot, bot: true, only: u.source.only}
	}
	if e := s.content(&call{args: args}, m); e != nil {
		return nil, e
	}
	switch {
	case in["replace_original"] == true && u.source != nil:
		u.source.text, u.source.blocks, u.source.attachments, u.source.edited = m.text, m.blocks, m.attachments, s.ts()
		return u.source, nil
	case str(in["response_type"]) == "in_channel":
		m.thread = str(in["thread_ts"])
		s.write(m)
	default:
		m.only, m.thread = u.user, str(in["thread_ts"])
		s.whisper(m)
	}
	return m, nil
}
