import threading, os
from werkzeug.serving import make_server
from playwright.sync_api import sync_playwright
from axe_playwright_python.sync_playwright import Axe
from mailer.campaigns import compose
from mailer.services import unit_of_work
from mailer.staff.roles import Role
from mailer.core.channel import EXAMPLE
from tests.web.test_campaign_progress import begin, counted, finished
from tests.web.staff_world import PASSWORD

OUT="/tmp/roomc"
def test_shots(world):
    sue = world.team.browser("sue@example.org", Role.SENDER, Role.COMPOSER)
    world.team.browser("sam@example.org", Role.SENDER)
    d = world.campaign()
    bad = world.campaign(words=compose.Words(EXAMPLE, "hi {first name}"))
    run = begin(world, sue); counted(world, run, accepted=10, refused__unsubscribed=2, uncertain=1, failed__550=2)
    with unit_of_work(world.services) as ctx:
        compose.lock(ctx, d)
    world.clock.advance(seconds=200)
    done = finished(world, sue)
    world.clock.advance(hours=1) if False else None
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    problems = []
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        pages = {"list": "/staff/campaigns?tab=sending", "list-sent": "/staff/campaigns?tab=sent", "empty": "/staff/campaigns?tab=scheduled", "new": "/staff/campaigns/new",
                 "edit": f"/staff/campaigns/{d}/edit", "check": f"/staff/campaigns/{d}/check", "checkbad": f"/staff/campaigns/{bad}/check",
                 "progress": f"/staff/campaigns/{run}/progress", "stop": f"/staff/campaigns/{run}/stop", "report": f"/staff/campaigns/{done}/report",
                 "preview": f"/staff/campaigns/{d}/preview", "testlink": "/test-link", "noscript-edit": f"/staff/campaigns/{d}/edit"}
        for scheme in ("light", "dark"):
          for width in (1360, 320):
            for js in (True, False):
                if not js and width == 1360 and scheme == "dark": continue
                c = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, java_script_enabled=js)
                page = c.new_page()
                logs = []
                page.on("console", lambda m: logs.append((m.type, m.text)))
                page.on("pageerror", lambda e: logs.append(("error", str(e))))
                page.goto(base + "/staff/sign-in")
                page.fill("#email", "sue@example.org"); page.fill("#password", PASSWORD)
                page.click("main button[type=submit]")
                for name, path in pages.items():
                    if not js and name not in ("edit", "check", "progress"): continue
                    page.goto(base + path)
                    page.wait_for_timeout(500 if js else 50)
                    if js:
                        r = Axe().run(page)
                        for v in r.response["violations"]:
                            problems.append((name, scheme, width, v["id"], [n["html"][:150] for n in v["nodes"]][:3]))
                    page.screenshot(path=f"{OUT}/{name}-{scheme}-{width}{'' if js else '-nojs'}.png", full_page=True)
                    if width == 320:
                        over = page.evaluate("document.documentElement.scrollWidth") if js else 320
                        if over > 320: problems.append((name, scheme, "overflow", over))
                problems += [(scheme, width, js, l) for l in logs if l[0] in ("error", "warning")]
                if js and width == 1360 and scheme == "light":
                    page.goto(base + f"/staff/campaigns/{d}/edit")
                    page.fill("#subject", "Changed by hand"); page.wait_for_timeout(1500)
                    problems.append(("status line", page.inner_text("[data-autosave-line]"), page.input_value("[name=version]")))
                    page.select_option("#preview-view", "phone"); page.wait_for_timeout(700)
                    page.fill("#markdown", "# Hi {first name | there}\n\nText ![x](" + base + "/pictures/0)\n\n[Go](https://example.org/){button}"); page.wait_for_timeout(1500)
                    page.screenshot(path=f"{OUT}/edit-phone.png", full_page=True)
                    problems.append(("frame", page.frames[-1].url))
                    page.goto(base + f"/staff/campaigns/{d}/check")
                    page.check("input[value=later]", force=True); page.fill("#date", "2026-03-10"); page.fill("#time", "09:00"); page.select_option("#zone", "America/New_York")
                    page.wait_for_timeout(900)
                    problems.append(("moment", page.inner_text("#press")))
                    page.screenshot(path=f"{OUT}/check-later.png", full_page=True)
                c.close()
        chromium.close()
    server.shutdown()
    print("\n".join(map(str, problems)))
