"""From the answers of an intake to a verdict: is there a claim, on what ground, how much, and who
decides when the company does not pay.

The order is the routing's: jurisdiction (`places`), the test of the kind (`kinds`), what ends a
claim whatever the test says (`verdict`), the body (`bodies`). Rules read the answers only, never
the story. Every number and country stands in app/law/data/routing.yaml, handed in as a `LawBook`.
"""
