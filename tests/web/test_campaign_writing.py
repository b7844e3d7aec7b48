"""Writing a campaign: nothing typed is lost, nothing is saved over another's words, nobody real is shown."""

import io
import struct
import zlib

from mailer.core.channel import EXAMPLE
from mailer.staff.roles import Role
from tests.web.campaign_world import CampaignWorld, hidden
from tests.web.staff_world import errors_of, text_of

TYPED = {"sender": "", "subject": "Autumn news", "preview_line": "", "markdown": "Hello", "language": "en"}


def png(width: int = 2, height: int = 3) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\xff" * 3 * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) \
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_a_new_email_begins_with_example_text_and_is_kept_at_the_first_save(world: CampaignWorld) -> None:
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    assert EXAMPLE in text_of(browser.get("/staff/campaigns/new"))
    answer = browser.post("/staff/campaigns/new", audience=str(world.list_id), **TYPED)
    assert answer.status_code == 303
    assert "Autumn news" in text_of(browser.get(answer.location))


def test_an_empty_subject_is_named_and_the_message_is_still_there(world: CampaignWorld) -> None:
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    answer = browser.post("/staff/campaigns/new", audience=str(world.list_id),
                          **{**TYPED, "subject": " ", "markdown": "Long thoughts <&>"})
    assert answer.status_code == 422
    assert errors_of(answer) == ["Type a subject of one line, at most 200 characters."]
    assert "Long thoughts <&>" in text_of(answer)


def test_a_message_of_two_megabytes_is_refused_with_its_size_and_not_cut(world: CampaignWorld) -> None:
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    number, large = world.campaign(), {**TYPED, "markdown": "word " * 400_000}
    said = "The message is 2,000 kB long, and 200 kB are the most."
    answer = browser.post("/staff/campaigns/new", audience=str(world.list_id), **large)
    assert answer.status_code == 422 and errors_of(answer) == [said]
    version = hidden(browser.get(f"/staff/campaigns/{number}/edit"), "version")
    kept = browser.post(f"/staff/campaigns/{number}/autosave", audience=str(world.list_id), version=version, **large)
    assert kept.get_json() == {"message": f"Not saved yet. {said}"}


def test_a_form_saved_after_its_version_changed_keeps_both_texts(world: CampaignWorld) -> None:
    number = world.campaign()
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    page = browser.get(f"/staff/campaigns/{number}/edit")
    version, audience = hidden(page, "version"), str(world.list_id)
    edit = f"/staff/campaigns/{number}/edit"
    assert browser.post(edit, audience=audience, version=version, **TYPED).status_code == 303
    late = browser.post(edit, audience=audience, version=version, **{**TYPED, "markdown": "Other words"})
    assert late.status_code == 409
    assert "Other words" in text_of(late) and "Autumn news" in text_of(late)
    assert browser.post(edit, audience=audience, version=hidden(late, "version"),
                        **{**TYPED, "markdown": "Other words"}).status_code == 303


def test_the_same_form_posted_twice_is_saved_once(world: CampaignWorld) -> None:
    number = world.campaign()
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    version = hidden(browser.get(f"/staff/campaigns/{number}/edit"), "version")
    for _ in range(2):
        answer = browser.post(f"/staff/campaigns/{number}/edit", audience=str(world.list_id), version=version, **TYPED)
        assert answer.status_code == 303
    assert len(world.team.acts("campaign_changed")) == 1


def test_autosave_answers_with_the_time_and_the_version_to_go_on_from(world: CampaignWorld) -> None:
    number = world.campaign()
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    version = hidden(browser.get(f"/staff/campaigns/{number}/edit"), "version")
    answer = browser.post(f"/staff/campaigns/{number}/autosave", audience=str(world.list_id), version=version, **TYPED)
    assert answer.get_json() == {"saved_at": "16:00", "fields": {"version": str(int(version) + 1)}}
    empty = browser.post(f"/staff/campaigns/{number}/autosave", audience=str(world.list_id),
                         version=str(int(version) + 1), **{**TYPED, "subject": ""})
    assert empty.get_json() == {"message": "Not saved yet. Type a subject of one line, at most 200 characters."}


def test_the_figures_beside_the_audience_are_the_gates_own(world: CampaignWorld) -> None:
    number = world.campaign()
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    part = browser.get(f"/staff/campaigns/{number}/audience?audience={world.list_id}")
    assert 'data-test="in">40<' in text_of(part)


def test_an_uploaded_picture_is_served_to_anybody_without_a_cookie(world: CampaignWorld) -> None:
    number = world.campaign()
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    version = hidden(browser.get(f"/staff/campaigns/{number}/edit"), "version")
    answer = browser.post(f"/staff/campaigns/{number}/edit", audience=str(world.list_id), version=version,
                          act="picture", picture=(io.BytesIO(png()), "a.png"), alt="A [wet] leaf", **TYPED)
    assert answer.status_code == 303
    said = str(world.team.one("SELECT markdown FROM content_version ORDER BY id DESC LIMIT 1"))
    assert said.startswith("Hello\n\n![A \\[wet\\] leaf](")
    address = "/pictures/" + said.rpartition("/pictures/")[2].rstrip(")\n")
    served = world.app.test_client().get(address)
    assert served.mimetype == "image/png" and served.data == png()
    assert "max-age=31536000" in served.headers["Cache-Control"] and "Set-Cookie" not in served.headers


def test_a_picture_that_is_none_or_says_nothing_is_refused_beside_its_field(world: CampaignWorld) -> None:
    number = world.campaign()
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    fields = {"audience": str(world.list_id), "version": "1", "act": "picture", **TYPED}
    drawing = (io.BytesIO(b"<svg/>"), "a.png")
    script = browser.post(f"/staff/campaigns/{number}/edit", picture=drawing, alt="x", **fields)
    assert errors_of(script) == ["This file is not a PNG, JPEG, GIF or WebP."]
    silent = browser.post(f"/staff/campaigns/{number}/edit", picture=(io.BytesIO(png()), "a.png"), **fields)
    assert errors_of(silent) == ["Say what the picture shows, or tick that it is an ornament."]
    assert "Autumn news" in text_of(silent)


def test_the_preview_shows_a_made_up_person_in_a_frame_that_may_do_nothing(world: CampaignWorld) -> None:
    number = world.campaign()
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    base = f"/staff/campaigns/{number}/preview/frame"
    ada, bo = browser.get(f"{base}?person=ada"), browser.get(f"{base}?person=bo")
    assert "Hello Ada," in text_of(ada) and "Hello there," in text_of(bo)
    assert "Ọlánrewájú-Featherstonehaugh" in text_of(browser.get(f"{base}?person=olanrewaju"))
    policy = ada.headers["Content-Security-Policy"]
    assert "script-src 'none'" in policy and policy.endswith("; sandbox") and "https:" not in policy
    assert "frame-ancestors 'self'" in policy
    assert "https:" in browser.get(f"{base}?pictures=1").headers["Content-Security-Policy"]


def test_dark_and_phone_are_looks_of_the_same_message(world: CampaignWorld) -> None:
    number = world.campaign()
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    base = f"/staff/campaigns/{number}/preview/frame?person=ada&view="
    assert "@media not all" in text_of(browser.get(f"{base}desktop"))
    dark = text_of(browser.get(f"{base}dark"))
    assert "prefers-color-scheme" not in dark and "@media all" in dark
    assert "<pre>" in text_of(browser.get(f"{base}text"))


def test_roles_that_do_not_write_get_404_and_an_entry_in_the_log(world: CampaignWorld) -> None:
    """ux 2.0: a forbidden page reveals nothing."""
    number = world.campaign()
    browser = world.team.browser("lou@example.org", Role.LIST_MANAGER)
    assert browser.get(f"/staff/campaigns/{number}/edit").status_code == 404
    assert browser.get("/staff/campaigns").status_code == 200
    assert [each.act for each in world.team.acts("refused")] == ["refused"]


def test_the_link_of_a_test_leads_to_a_page_that_says_so(world: CampaignWorld) -> None:
    answer = world.app.test_client().get("/test-link")
    assert "This was a test" in text_of(answer) and "Set-Cookie" not in answer.headers
