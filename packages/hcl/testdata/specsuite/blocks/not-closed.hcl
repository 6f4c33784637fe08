server {
