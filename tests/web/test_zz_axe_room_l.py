import threading
from pathlib import Path
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server
from mailer.services import unit_of_work
from mailer.staff.roles import Role
from mailer.subscriptions import leave, undo
from mailer.audience.models import ContactPoint
from tests.web.list_world import Club, CANARY
from tests.web.staff_world import PASSWORD

OUT = Path("/tmp/shots_l"); OUT.mkdir(exist_ok=True)

def test_axe(app, services, team, clock):
    club = Club(services)
    p = club.confirmed(CANARY, first_name="Quillonwick")
    clock.advance(hours=3)
    with unit_of_work(services) as ctx:
        g = leave.leave(ctx, ctx.db.get_one(ContactPoint, p), how="one_click")
    clock.advance(minutes=4)
    with unit_of_work(services) as ctx:
        undo.undo(ctx, g.id, p)
    for n in range(55): club.added(f"a{n}@canary-quill.example")
    r = club.ask("waits@canary-quill.example")
    c = club.campaign()
    team.add("lou@example.org", Role.LIST_MANAGER, Role.PRIVACY_OFFICER, name="Lou")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.port}"
    bad = []
    with sync_playwright() as pw:
        browser = pw.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
            page.on("console", lambda m: bad.append((m.type, m.text)) if m.type == "error" else None)
            page.goto(base + "/staff/sign-in"); page.fill("#email", "lou@example.org"); page.fill("#password", PASSWORD); page.keyboard.press("Enter"); page.wait_for_url(base + "/staff")
            def look(name):
                res = Axe().run(page)
                for v in res.response["violations"]:
                    bad.append((scheme, name, v["id"], [n["html"][:160] for n in v["nodes"]][:3], v["nodes"][0].get("failureSummary","")[:300]))
                page.screenshot(path=OUT / f"{name}-{scheme}.png", full_page=True)
                if scheme == "light":
                    page.set_viewport_size({"width": 320, "height": 800})
                    w = page.evaluate("document.documentElement.scrollWidth")
                    if w > 320: bad.append(("wide", name, w, page.evaluate("[...document.querySelectorAll('main *')].filter(e=>e.getBoundingClientRect().right>321).slice(0,4).map(e=>e.outerHTML.slice(0,120))")))
                    page.screenshot(path=OUT / f"{name}-320.png", full_page=True)
                    page.set_viewport_size({"width": 1280, "height": 900})
            for name, path in (("lists", "/staff/lists"), ("list", f"/staff/lists/{club.list_id}"), ("newlist", "/staff/lists/new"), ("topic", f"/staff/lists/{club.list_id}/topics/{club.topics[0]}"),
                               ("forms", "/staff/forms"), ("builder", f"/staff/forms/{club.form_id}"), ("newform", f"/staff/forms/new?list={club.list_id}"), ("version", f"/staff/forms/{club.form_id}/versions/1"),
                               ("people", "/staff/people"), ("empty", "/staff/people?state=paused"), ("person", f"/staff/people/{p}"), ("request", f"/staff/people/request/{r}")):
                page.goto(base + path); look(name)
            page.goto(base + f"/staff/forms/{club.form_id}")
            page.fill("#title", ""); page.get_by_role("button", name="Save").click(); look("builder-error")
            page.fill("#title", "Typed live <now>"); page.wait_for_timeout(1500)
            live = page.frame_locator("iframe[name=preview-desktop]").locator("h1").inner_text()
            if live != "Typed live <now>": bad.append(("live", live))
            page.goto(base + "/staff/people"); page.fill("#email", CANARY); page.get_by_role("button", name="Find").click(); look("found")
            page.get_by_role("button", name="Ask the stop list").click(); look("stop")
            page.goto(base + f"/staff/people/{p}"); page.get_by_text("Reveal the address").click(); page.get_by_role("button", name="Reveal").click(); look("reveal-error")
            page.get_by_text("A problem with delivery", exact=True).click(); page.get_by_role("button", name="Reveal").click(); look("revealed")
            page.select_option("#campaign", str(c)); page.get_by_role("button", name="Ask", exact=True).click(); look("why")
            page.close()
        ctxt = browser.new_context(java_script_enabled=False); page = ctxt.new_page()
        page.goto(base + "/staff/sign-in"); page.fill("#email", "lou@example.org"); page.fill("#password", PASSWORD); page.keyboard.press("Enter"); page.wait_for_url(base + "/staff")
        page.goto(base + f"/staff/forms/{club.form_id}"); page.fill("#title", "No script"); page.get_by_role("button", name="Preview on a desktop").click(); page.wait_for_timeout(1500)
        print("NOSCRIPT", page.frame_locator("iframe[name=preview-desktop]").locator("h1").inner_text(), page.url)
        page.screenshot(path=OUT / "noscript.png", full_page=True)
        browser.close()
    server.shutdown()
    print("\n".join(map(str, bad)))
    assert not bad
