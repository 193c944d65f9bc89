"""Vendor twins that run on this machine, written from the vendors' documents.

They share no code with the providers: what both got from one place could be wrong in both.
"""
