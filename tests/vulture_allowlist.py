"""Names that no Python of ours calls although they are used, each group with its reason; vulture reads this file."""


class _Names:
    def __getattr__(self, name: str) -> str:
        return name


_ = _Names()

CALLED_BY_OTHERS = {
    "Flask and Jinja read these": (_.trim_blocks, _.lstrip_blocks, _.get_cookie_secure, _.get_cookie_path, _.mimetype),
    "gunicorn calls it": (_.load_config,),
    "click calls these": (_.list_commands, _.get_command),
    "the age library calls it": (_.readinto,),
    "a command prints it": (_.keys_octets,),
    "dramatiq calls or reads these": (_.declare_queue, _.broker_id, _.queue_prefetch),
    "the HTML parser of the standard library calls these": (
        _.handle_starttag, _.handle_startendtag, _.handle_endtag, _.handle_data),
    "markdown-it looks these up by the name of a token": (
        _.figure, _.button, _.image, _.heading_open, _.heading_close, _.validateLink),
    "psycopg reads it: the type that a dumper writes": (_.oid,),
    "smtplib reads it when it writes a command": (_.command_encoding,),
    "subprocess takes it by name": (_.extra_groups,),
    "templates read these": (_.is_right, _.gets, _.does, _.sees, _.per_second, _.who, _.button, _.soon, _.in_time,
                             _.signs, _.flagged, _.words_sha256, _.form_version, _.notice_text, _.topic_name),
    "these stand in a signed file under their own names": (_.made_by, _.controller, _.contact_point),
    "the architecture tests read these": (_.auth_mark, _.MOVES, _.COVERS, _.openings),
}
COLUMNS = {
    "tables that are written and read by statements of their own": (
        _.Decision, _.MessageBlock, _.Slice, _.LaneHold, _.ServerHold, _.CampaignCount, _.Receipt, _.Reveal, _.Override,
        _.WantedFile, _.keys_archived_at,
        _.lane, _.not_before, _.tries, _.opened_at, _.resent, _.clock_shift_seconds, _.sealed_words),
    "facts that are kept for people and reports to come": (
        _.created_at, _.updated_at, _.made_at, _.handled_by, _.published_at, _.country, _.has_name, _.created_by,
        _.approved_by),
    "importing them is the use: foreign keys name each other's tables": (_.rooms, _.TABLES),
}
PART_OF_A_WHOLE = {
    "members of enums whose words are stored or will come with mail coming in": (
        _.VERP, _.SERVICE, _.FRESH, _.OPT_OUT, _.ANY),
    "flags that a policy pack must state": (
        _.asks_age, _.third_party_release, _.tracking, _.friend_mail_by_server),
    "verbs whose screens come later: the segment builder asks the one, the import wizard calls the other": (
        _.check_filter, _.import_people),
    "a port's method, reached through the channel that the settings name": (_.say,),
    "kept for the length of a request": (_.outbox_reader,),
    "asked for by its option's presence": (_.yes,),
    "the slow, obvious builder that the compiler is held against": (_.compose_campaign,),
}

assert all((CALLED_BY_OTHERS, COLUMNS, PART_OF_A_WHOLE))
