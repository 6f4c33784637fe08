server {

}
