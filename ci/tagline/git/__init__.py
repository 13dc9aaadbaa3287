"""Git as tagline sees it: facts of the remote, versions from commits, requests from tags, and the ledger.

Nothing here prints, reads tagline.yaml's meaning or knows a platform. Refs of the user are never written:
what the remote holds is kept under refs/tagline/origin/, and a push leaves nothing local behind.
"""
